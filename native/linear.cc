// A linear map with its bias, its activation and what is added to it, in one operation: checks, memory and threads. The
// arithmetic is in linear.inc; a row's results do not depend on how many rows there are.

#include <algorithm>
#include <atomic>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "in-blocks.h"
#include "packed-weight.h"
#include "tensorflow/core/framework/op.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "tensorflow/core/framework/shape_inference.h"
#include "vector-kernels.h"

namespace sonoground {
namespace {

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
    Multiply(context, rows);
  }

 private:
  // From here on it pays to bring the weight into order once for all rows: of fewer, each part of it is used at once.
  static constexpr int64_t kManyRows = 256;
  // Parts for a thread, so that one that is held up holds up little.
  static constexpr int64_t kParts = 4;
  // Products that are worth a thread's while.
  static constexpr int64_t kWork = 1 << 19;

  void Multiply(OpKernelContext* context, int64_t rows) {
    LinearMap m = {};
    m.in = context->input(0).dim_size(1), m.out = context->input(1).dim_size(0);
    m.x = context->input(0).flat<float>().data();
    m.weight = context->input(1).flat<float>().data();
    m.bias = context->input(2).flat<float>().data();
    m.added = context->input(3).NumElements() > 0 ? context->input(3).flat<float>().data() : nullptr;
    m.activation = activation_;
    Tensor* y;
    OP_REQUIRES_OK(context, context->allocate_output(0, {rows, m.out}, &y));
    if (rows == 0 || m.out == 0) return;
    m.output = y->flat<float>().data();
    if (rows < kManyRows) ByPanels(context, m, rows);
    else ByRows(context, m, rows);
  }

  void ByPanels(OpKernelContext* context, const LinearMap& m, int64_t rows) {
    const VectorKernels& kernels = Kernels();
    const int64_t panels = Panels(m), unit = kernels.rowsAtATime(m.in), packed = kernels.panelSize(m);
    const Scratch prepared(kernels.preparedRows(m, rows));
    OP_REQUIRES(context, prepared.get() != nullptr, OutOfMemory());
    InBlocks(context, 1, 1, [&](int64_t, int64_t) { kernels.prepareRows(m, 0, rows, prepared.get()); });
    const int64_t share = std::max<int64_t>(1, kWork / std::max<int64_t>(1, rows * kernels.panel * m.in));
    std::atomic<bool> outOfMemory{false};
    InBlocks(context, panels, share, [&](int64_t from, int64_t to) {
      const Scratch scratch(packed + kernels.linearScratch(m, unit));
      if (scratch.get() == nullptr) {
        outOfMemory = true;
        return;
      }
      for (int64_t panel = from; panel < to; ++panel) {
        kernels.packWeight(m, panel, panel + 1, scratch.get());
        for (int64_t row = 0; row < rows; row += unit)
          kernels.linear(m, prepared.get() + kernels.preparedRows(m, row), scratch.get(), row, std::min(rows, row + unit), panel,
                         panel + 1, scratch.get() + packed);
      }
    });
    OP_REQUIRES(context, !outOfMemory, OutOfMemory());
  }

  void ByRows(OpKernelContext* context, const LinearMap& m, int64_t rows) {
    const VectorKernels& kernels = Kernels();
    const int64_t panels = Panels(m), unit = kernels.rowsAtATime(m.in), blocks = (rows + unit - 1) / unit;
    Tensor packed;
    OP_REQUIRES_OK(context, PackWeights(context, m, &packed));
    const float* weight = packed.flat<float>().data();
    const auto at = [&](int64_t panel) { return weight + panel * kernels.panelSize(m); };

    const int64_t wanted = kParts * context->device()->tensorflow_cpu_worker_threads()->num_threads;
    // Where there are few rows for many threads, they share the outputs as well.
    const int64_t groups = std::clamp<int64_t>((wanted + blocks - 1) / blocks, 1, panels);
    const int64_t width = (panels + groups - 1) / groups, ofRows = kernels.preparedRows(m, unit);
    std::atomic<bool> outOfMemory{false};
    InBlocks(context, blocks * groups, 1, [&](int64_t from, int64_t to) {
      const Scratch scratch(ofRows + kernels.linearScratch(m, unit));
      if (scratch.get() == nullptr) {
        outOfMemory = true;
        return;
      }
      for (int64_t i = from; i < to; ++i) {
        const int64_t row = i / groups * unit, end = std::min(rows, row + unit), panel = std::min(panels, i % groups * width);
        if (i == from || i % groups == 0) kernels.prepareRows(m, row, end, scratch.get());
        kernels.linear(m, scratch.get(), at(panel), row, end, panel, std::min(panels, panel + width), scratch.get() + ofRows);
      }
    });
    OP_REQUIRES(context, !outOfMemory, OutOfMemory());
  }

  static absl::Status OutOfMemory() { return absl::ResourceExhaustedError("linear: no memory"); }

  LinearMap::Activation activation_;
};

REGISTER_KERNEL_BUILDER(Name("SonogroundLinear").Device(tensorflow::DEVICE_CPU), Linear);

}  // namespace
}  // namespace sonoground
