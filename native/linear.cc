// A linear map with its bias, its activation and what is added to it, in one operation. Of many rows the product is taken by
// linear-product.inc; of few, which cannot repay bringing the weight into order, by the kernel that TensorFlow's graph optimiser
// would put in place of a product, a bias and an activation. That one cannot be asked for by its name from outside a graph:
// this makes it and hands it the inputs.

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "in-blocks.h"
#include "tensorflow/core/framework/attr_value.pb.h"
#include "tensorflow/core/framework/node_def.pb.h"
#include "tensorflow/core/framework/node_def_util.h"
#include "tensorflow/core/framework/op.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "tensorflow/core/framework/shape_inference.h"
#include "tensorflow/core/public/version.h"
#include "vector-kernels.h"

namespace sonoground {
namespace {

using tensorflow::AddNodeAttr;
using tensorflow::DT_FLOAT;
using tensorflow::OpKernel;
using tensorflow::OpKernelConstruction;
using tensorflow::OpKernelContext;
using tensorflow::Tensor;
using tensorflow::shape_inference::InferenceContext;
using tensorflow::shape_inference::ShapeHandle;

REGISTER_OP("SonogroundLinear")
    .Input("x: float")       // [rows, in]
    .Input("weight: float")  // [out, in]
    .Input("bias: float")    // [out]
    .Input("added: float")   // [rows, out], or empty: nothing
    .Attr("activation: {'', 'Relu', 'GeluExact'} = ''")
    .Output("y: float")  // [rows, out]
    .SetShapeFn([](InferenceContext* c) {
      ShapeHandle x, weight;
      TF_RETURN_IF_ERROR(c->WithRank(c->input(0), 2, &x));
      TF_RETURN_IF_ERROR(c->WithRank(c->input(1), 2, &weight));
      c->set_output(0, c->Matrix(c->Dim(x, 0), c->Dim(weight, 0)));
      return absl::OkStatus();
    });

class Linear : public OpKernel {
 public:
  explicit Linear(OpKernelConstruction* context) : OpKernel(context) {
    std::string activation;
    OP_REQUIRES_OK(context, context->GetAttr("activation", &activation));
    activation_ = activation == "Relu" ? LinearMap::kRelu : activation == "GeluExact" ? LinearMap::kGelu : LinearMap::kNone;
    std::vector<std::string> fused = {"BiasAdd"};
    if (!activation.empty()) fused.push_back(activation);
    tensorflow::NodeDef node;
    node.set_name(name());
    node.set_op("_MklNativeFusedMatMul");
    node.set_device(context->def().device());
    for (int i = 0; i < 3; ++i) node.add_input(absl::StrCat("input", i));
    AddNodeAttr("T", DT_FLOAT, &node);
    AddNodeAttr("num_args", 1, &node);
    AddNodeAttr("fused_ops", fused, &node);
    AddNodeAttr("transpose_a", false, &node);
    AddNodeAttr("transpose_b", true, &node);
    AddNodeAttr("_kernel", "MklNameChangeOp", &node);  // how TensorFlow tells the kernels of oneDNN from its others
    const tensorflow::OpDef* definition;
    OP_REQUIRES_OK(context, tensorflow::OpRegistry::Global()->LookUpOpDef(node.op(), &definition));
    tensorflow::AddDefaultsToNodeDef(*definition, &node);
    absl::Status status;
    inner_ = tensorflow::CreateOpKernel(context->device_type(), static_cast<tensorflow::DeviceBase*>(context->device()),
                                        context->device()->GetAllocator({}), node, TF_GRAPH_DEF_VERSION, &status);
    OP_REQUIRES_OK(context, status);
  }

  void Compute(OpKernelContext* context) override {
    const Tensor &x = context->input(0), &weight = context->input(1), &bias = context->input(2), &added = context->input(3);
    const bool fits = x.dims() == 2 && weight.dims() == 2 && bias.dims() == 1 && x.dim_size(1) == weight.dim_size(1) &&
                      weight.dim_size(0) == bias.dim_size(0);
    OP_REQUIRES(context, fits,
                absl::InvalidArgumentError(absl::StrCat("linear: expected x [rows, in], weight [out, in], bias [out], got ",
                                                        x.shape().DebugString(), weight.shape().DebugString(),
                                                        bias.shape().DebugString())));
    const int64_t rows = x.dim_size(0), out = weight.dim_size(0);
    const bool adds = added.NumElements() > 0;
    OP_REQUIRES(context, !adds || (added.dims() == 2 && added.dim_size(0) == rows && added.dim_size(1) == out),
                absl::InvalidArgumentError(absl::StrCat("linear: expected what is added to be [", rows, ",", out, "], got ",
                                                        added.shape().DebugString())));
    if (rows >= kManyRows && x.dim_size(1) > 0) {
      Multiply(context, rows);
      return;
    }
    inner_->Compute(context);
    if (!adds || !context->status().ok()) return;
    float* y = context->mutable_output(0)->flat<float>().data();
    const float* more = added.flat<float>().data();
    for (int64_t i = 0; i < rows * out; ++i) y[i] += more[i];
  }

 private:
  // From here on the product repays the order that the weight is brought into, which takes about as long as 20 rows.
  static constexpr int64_t kManyRows = 256;
  // Rows that are worked on at a time, a multiple of the rows of every kind of tile: fewer where a row is long, for the caches.
  static constexpr int64_t kRows = 96, kRowsIfLong = 48, kLong = 2048;
  // Parts for a thread, so that one that is held up holds up little.
  static constexpr int64_t kParts = 4;

  void Multiply(OpKernelContext* context, int64_t rows) {
    const VectorKernels& kernels = Kernels();
    LinearMap m = {};
    m.in = context->input(0).dim_size(1), m.out = context->input(1).dim_size(0);
    m.x = context->input(0).flat<float>().data();
    m.weight = context->input(1).flat<float>().data();
    m.bias = context->input(2).flat<float>().data();
    m.added = context->input(3).NumElements() > 0 ? context->input(3).flat<float>().data() : nullptr;
    m.activation = activation_;
    Tensor *y, packed;
    OP_REQUIRES_OK(context, context->allocate_output(0, {rows, m.out}, &y));
    if (m.out == 0) return;
    OP_REQUIRES_OK(context, context->allocate_temp(DT_FLOAT, {kernels.linearPacked(m)}, &packed));
    m.output = y->flat<float>().data();
    float* weight = packed.flat<float>().data();
    const int64_t panels = (m.out + kernels.panel - 1) / kernels.panel;
    InBlocks(context, panels, 1, [&](int64_t from, int64_t to) { kernels.packWeight(m, from, to, weight); });

    const int64_t unit = m.in > kLong ? kRowsIfLong : kRows;
    const int64_t blocks = (rows + unit - 1) / unit;
    const int64_t wanted = kParts * context->device()->tensorflow_cpu_worker_threads()->num_threads;
    // Where there are few rows for many threads, they share the outputs as well.
    const int64_t groups = std::clamp<int64_t>((wanted + blocks - 1) / blocks, 1, panels);
    const int64_t width = (panels + groups - 1) / groups;
    std::atomic<bool> outOfMemory{false};
    InBlocks(context, blocks * groups, 1, [&](int64_t from, int64_t to) {
      const Scratch scratch(kernels.linearScratch(m, unit));
      if (scratch.get() == nullptr) {
        outOfMemory = true;
        return;
      }
      for (int64_t i = from; i < to; ++i) {
        const int64_t row = i / groups * unit, panel = i % groups * width;
        kernels.linear(m, weight, row, std::min(rows, row + unit), std::min(panels, panel), std::min(panels, panel + width),
                       scratch.get());
      }
    });
    OP_REQUIRES(context, !outOfMemory, absl::ResourceExhaustedError("linear: no memory"));
  }

  std::unique_ptr<OpKernel> inner_;
  LinearMap::Activation activation_;
};

REGISTER_KERNEL_BUILDER(Name("SonogroundLinear").Device(tensorflow::DEVICE_CPU), Linear);

}  // namespace
}  // namespace sonoground
