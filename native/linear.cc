// A linear map with bias, activation and addition as a TensorFlow operation for the CPU: checks, memory and threads. The
// arithmetic is in linear.inc; the results of a row do not depend on the number of rows.

#include <algorithm>

#include "linear-inputs.h"
#include "tensorflow/core/framework/op.h"

namespace sonoground {
namespace {

using tensorflow::OpKernel;
using tensorflow::OpKernelConstruction;
using tensorflow::OpKernelContext;
using tensorflow::Tensor;
using tensorflow::shape_inference::InferenceContext;

constexpr char kOperation[] = "linear";

REGISTER_OP("SonogroundLinear")
    .Input("x: float")       // [rows, in]
    .Input("weight: float")  // [out, in]
    .Input("bias: float")    // [out]
    .Input("added: float")   // [rows, out], or empty: none
    .Attr(kActivationAttribute)
    .Output("y: float")  // [rows, out]
    .SetShapeFn([](InferenceContext* c) { return SetOutputShape(c, 2); });

REGISTER_OP("SonogroundLinearBfloat16")
    .Input("x: float")       // [rows, in]
    .Input("weight: int32")  // packed
    .Input("bias: float")    // [out]
    .Input("added: float")   // [rows, out], or empty: none
    .Attr(kActivationAttribute)
    .Output("y: float")  // [rows, out]
    .SetShapeFn([](InferenceContext* c) { return SetOutputShape(c, 2); });

REGISTER_OP("SonogroundPackBfloat16")
    .Input("weight: float")  // [out, in]
    .Output("packed: int32")
    .SetShapeFn([](InferenceContext* c) {
      c->set_output(0, c->Matrix(InferenceContext::kUnknownDim, InferenceContext::kUnknownDim));
      return absl::OkStatus();
    });

// Rounds a weight to bfloat16 and packs it.
class PackBfloat16 : public OpKernel {
 public:
  using OpKernel::OpKernel;

  void Compute(OpKernelContext* context) override {
    const Tensor& weight = context->input(0);
    OP_REQUIRES(context, weight.dims() == 2,
                absl::InvalidArgumentError(absl::StrCat("pack: expected a weight [out, in], got ", weight.shape().DebugString())));
    const Products& products = ProductsOf<true>();
    LinearMap m = {};
    m.in = weight.dim_size(1), m.out = weight.dim_size(0), m.weight = weight.flat<float>().data();
    const int64_t size = products.packedPanelSize(m), panels = Panels(products, m);
    Tensor* packed;
    OP_REQUIRES_OK(context, context->allocate_output(0, {panels, size}, &packed));
    if (packed->NumElements() == 0) return;
    float* all = reinterpret_cast<float*>(packed->flat<int32_t>().data());
    ParallelFor(context, panels, 1, [&](int64_t from, int64_t to) { products.packB(m, from, to, all + from * size); });
  }
};

template <bool kHalf>
class Linear : public OpKernel {
 public:
  explicit Linear(OpKernelConstruction* context) : OpKernel(context) {
    OP_REQUIRES_OK(context, ReadActivation(context, &activation_));
  }

  void Compute(OpKernelContext* context) override {
    LinearMap m = {};
    OP_REQUIRES_OK(context, Read(context, &m));
    const int64_t rows = context->input(0).dim_size(0);
    Tensor* y;
    OP_REQUIRES_OK(context, context->allocate_output(0, {rows, m.out}, &y));
    if (y->NumElements() == 0) return;
    m.output = y->flat<float>().data();
    OP_REQUIRES_OK(context, rows < kManyRows ? MultiplyFewRows(context, m, rows) : MultiplyManyRows(context, m, rows));
  }

 private:
  // From this many rows on, it pays to pack the whole weight once; for fewer, each panel is used immediately after packing.
  static constexpr int64_t kManyRows = 256;
  // Work items per thread, so that a delayed thread delays little.
  static constexpr int64_t kShares = 4;
  // Number of multiplications that justify waking a thread.
  static constexpr int64_t kMinWork = 1 << 19;

  absl::Status Read(OpKernelContext* context, LinearMap* m) const {
    const Tensor &x = context->input(0), &weight = context->input(1), &bias = context->input(2);
    if (x.dims() != 2 || !ReadMap<kHalf>(weight, bias, x.dim_size(1), m))
      return absl::InvalidArgumentError(
          absl::StrCat(kOperation, ": expected x [rows, in], weight [out, in]", kHalf ? " packed in bfloat16" : "",
                       ", bias [out], got ", x.shape().DebugString(), weight.shape().DebugString(), bias.shape().DebugString()));
    m->x = x.flat<float>().data(), m->activation = activation_;
    return ReadAdded(kOperation, context->input(3), x.dim_size(0), m);
  }

  // A is packed once; the threads share the panels of B, each of which is packed in its turn unless it was before.
  static absl::Status MultiplyFewRows(OpKernelContext* context, const LinearMap& m, int64_t rows) {
    const Products& kernels = ProductsOf<kHalf>();
    const int64_t mc = kernels.mc(m.in), panelSize = kernels.packedPanelSize(m);
    const float* whole = kHalf ? reinterpret_cast<const float*>(context->input(1).flat<int32_t>().data()) : nullptr;
    const Scratch packedA(kernels.packedASize(m, rows));
    if (packedA.get() == nullptr) return OutOfMemory(kOperation);
    ParallelFor(context, 1, 1, [&](int64_t, int64_t) { kernels.packA(m, 0, rows, packedA.get()); });
    const int64_t share = std::max<int64_t>(1, kMinWork / std::max<int64_t>(1, rows * kernels.nr * m.in));
    return ParallelForWithScratch(
        context, kOperation, Panels(kernels, m), share, panelSize + kernels.linearScratch(m, mc),
        [&](int64_t from, int64_t to, float* scratch) {
          float* rest = scratch + panelSize;
          for (int64_t panel = from; panel < to; ++panel) {
            const float* packedB = kHalf ? whole + panel * panelSize : scratch;
            if (!kHalf) kernels.packB(m, panel, panel + 1, scratch);
            for (int64_t row = 0; row < rows; row += mc)
              kernels.linear(m, packedA.get() + kernels.packedASize(m, row), packedB, row, std::min(rows, row + mc), panel,
                             panel + 1, rest);
          }
        });
  }

  // B is packed once; the threads share blocks of MC rows and, if there are few of these, also the panels of B.
  static absl::Status MultiplyManyRows(OpKernelContext* context, const LinearMap& m, int64_t rows) {
    const Products& kernels = ProductsOf<kHalf>();
    const int64_t panels = Panels(kernels, m), mc = kernels.mc(m.in), blocks = (rows + mc - 1) / mc;
    Tensor memory;
    const float* packedB;
    TF_RETURN_IF_ERROR(PackedB<kHalf>(context, m, context->input(1), &memory, &packedB));
    const int64_t panelSize = kernels.packedPanelSize(m), packedASize = kernels.packedASize(m, mc);
    const int64_t wanted = kShares * context->device()->tensorflow_cpu_worker_threads()->num_threads;
    const int64_t groups = std::clamp<int64_t>((wanted + blocks - 1) / blocks, 1, panels), width = (panels + groups - 1) / groups;
    return ParallelForWithScratch(
        context, kOperation, blocks * groups, 1, packedASize + kernels.linearScratch(m, mc),
        [&](int64_t from, int64_t to, float* scratch) {
          float* packedA = scratch;
          for (int64_t i = from; i < to; ++i) {
            const int64_t row = i / groups * mc, end = std::min(rows, row + mc), panel = std::min(panels, i % groups * width);
            if (i == from || i % groups == 0) kernels.packA(m, row, end, packedA);
            kernels.linear(m, packedA, packedB + panel * panelSize, row, end, panel, std::min(panels, panel + width),
                           scratch + packedASize);
          }
        });
  }

  LinearMap::Activation activation_;
};

REGISTER_KERNEL_BUILDER(Name("SonogroundLinear").Device(tensorflow::DEVICE_CPU), Linear<false>);
REGISTER_KERNEL_BUILDER(Name("SonogroundLinearBfloat16").Device(tensorflow::DEVICE_CPU), Linear<true>);
REGISTER_KERNEL_BUILDER(Name("SonogroundPackBfloat16").Device(tensorflow::DEVICE_CPU), PackBfloat16);

}  // namespace
}  // namespace sonoground
