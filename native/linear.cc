// A linear map with its bias and activation in one operation. The product is TensorFlow's own: this asks for the kernel that
// TensorFlow's graph optimiser would put in place of a product, a bias and an activation, which cannot be asked for by its
// name from outside a graph, and hands it the inputs.

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "tensorflow/core/framework/attr_value.pb.h"
#include "tensorflow/core/framework/node_def.pb.h"
#include "tensorflow/core/framework/node_def_util.h"
#include "tensorflow/core/framework/op.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "tensorflow/core/framework/shape_inference.h"
#include "tensorflow/core/public/version.h"

namespace sonoground {
namespace {

using tensorflow::AddNodeAttr;
using tensorflow::DT_FLOAT;
using tensorflow::OpKernel;
using tensorflow::OpKernelConstruction;
using tensorflow::OpKernelContext;
using tensorflow::Tensor;
using tensorflow::shape_inference::DimensionHandle;
using tensorflow::shape_inference::InferenceContext;
using tensorflow::shape_inference::ShapeHandle;

REGISTER_OP("SonogroundLinear")
    .Input("x: float")       // [rows, in]
    .Input("weight: float")  // [out, in]
    .Input("bias: float")    // [out]
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
    const Tensor &x = context->input(0), &weight = context->input(1), &bias = context->input(2);
    const bool fits = x.dims() == 2 && weight.dims() == 2 && bias.dims() == 1 && x.dim_size(1) == weight.dim_size(1) &&
                      weight.dim_size(0) == bias.dim_size(0);
    OP_REQUIRES(context, fits,
                absl::InvalidArgumentError(absl::StrCat("linear: expected x [rows, in], weight [out, in], bias [out], got ",
                                                        x.shape().DebugString(), weight.shape().DebugString(),
                                                        bias.shape().DebugString())));
    inner_->Compute(context);
  }

 private:
  std::unique_ptr<OpKernel> inner_;
};

REGISTER_KERNEL_BUILDER(Name("SonogroundLinear").Device(tensorflow::DEVICE_CPU), Linear);

}  // namespace
}  // namespace sonoground
