// An MLP of two linear maps with an activation in between as a TensorFlow operation for the CPU: checks, memory and threads. The
// arithmetic is in mlp.inc; the results equal those of two separate maps bit for bit.

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

constexpr char kOperation[] = "mlp";

REGISTER_OP("SonogroundMlp")
    .Input("x: float")                // [rows, in]
    .Input("expand_weight: float")    // [hidden, in]
    .Input("expand_bias: float")      // [hidden]
    .Input("contract_weight: float")  // [out, hidden]
    .Input("contract_bias: float")    // [out]
    .Input("added: float")            // [rows, out], or empty: none
    .Attr(kActivationAttribute)
    .Output("y: float")  // [rows, out]
    .SetShapeFn([](InferenceContext* c) { return SetOutputShape(c, 4); });

REGISTER_OP("SonogroundMlpBfloat16")
    .Input("x: float")                // [rows, in]
    .Input("expand_weight: int32")    // packed
    .Input("expand_bias: float")      // [hidden]
    .Input("contract_weight: int32")  // packed
    .Input("contract_bias: float")    // [out]
    .Input("added: float")            // [rows, out], or empty: none
    .Attr(kActivationAttribute)
    .Output("y: float")  // [rows, out]
    .SetShapeFn([](InferenceContext* c) { return SetOutputShape(c, 4); });

template <bool kHalf>
class Mlp : public OpKernel {
 public:
  explicit Mlp(OpKernelConstruction* context) : OpKernel(context) {
    OP_REQUIRES_OK(context, ReadActivation(context, &activation_));
  }

  void Compute(OpKernelContext* context) override {
    LinearMap expand = {}, contract = {};
    OP_REQUIRES_OK(context, Read(context, &expand, &contract));
    const int64_t rows = context->input(0).dim_size(0);
    Tensor* y;
    OP_REQUIRES_OK(context, context->allocate_output(0, {rows, contract.out}, &y));
    if (y->NumElements() == 0) return;
    contract.output = y->flat<float>().data();
    OP_REQUIRES_OK(context, Multiply(context, expand, contract, rows));
  }

 private:
  // Work items per thread, so that a delayed thread delays little, and the number of rows that an item is a multiple of.
  static constexpr int64_t kShares = 2, kRowUnit = 96;

  absl::Status Read(OpKernelContext* context, LinearMap* expand, LinearMap* contract) const {
    const Tensor& x = context->input(0);
    const Tensor &expandWeight = context->input(1), &expandBias = context->input(2);
    const Tensor &contractWeight = context->input(3), &contractBias = context->input(4);
    const bool fits = x.dims() == 2 && ReadMap<kHalf>(expandWeight, expandBias, x.dim_size(1), expand) &&
                      ReadMap<kHalf>(contractWeight, contractBias, expand->out, contract);
    if (!fits)
      return absl::InvalidArgumentError(
          absl::StrCat(kOperation, ": expected x [rows, in], weights [hidden, in] and [out, hidden]",
                       kHalf ? " packed in bfloat16" : "", ", their biases, got ",
                       x.shape().DebugString(), expandWeight.shape().DebugString(), expandBias.shape().DebugString(),
                       contractWeight.shape().DebugString(), contractBias.shape().DebugString()));
    // The kernel writes the outputs with the last block of hidden activations: without any, nothing would be written.
    if (expand->out == 0)
      return absl::InvalidArgumentError(absl::StrCat(kOperation, ": expected one hidden number or more, got weights ",
                                                     expandWeight.shape().DebugString(), " and ",
                                                     contractWeight.shape().DebugString()));
    expand->x = x.flat<float>().data(), expand->activation = activation_;
    return ReadAdded(kOperation, context->input(5), x.dim_size(0), contract);
  }

  static absl::Status Multiply(OpKernelContext* context, const LinearMap& expand, const LinearMap& contract, int64_t rows) {
    const Products& kernels = ProductsOf<kHalf>();
    Tensor memory[2];
    const float *first, *second;
    TF_RETURN_IF_ERROR(PackedB<kHalf>(context, expand, context->input(1), memory, &first));
    TF_RETURN_IF_ERROR(PackedB<kHalf>(context, contract, context->input(3), memory + 1, &second));
    const int64_t shares = kShares * context->device()->tensorflow_cpu_worker_threads()->num_threads;
    const int64_t share = ((rows + shares - 1) / shares + kRowUnit - 1) / kRowUnit * kRowUnit;
    const int64_t mc = std::min(share, kernels.mlpMc(expand, contract)), blocks = (rows + mc - 1) / mc;
    return ParallelForWithScratch(
        context, kOperation, blocks, 1, kernels.mlpScratch(expand, contract, mc), [&](int64_t from, int64_t to, float* scratch) {
          for (int64_t i = from; i < to; ++i)
            kernels.mlp(expand, contract, first, second, i * mc, std::min(rows, (i + 1) * mc), scratch);
        });
  }

  LinearMap::Activation activation_;
};

REGISTER_KERNEL_BUILDER(Name("SonogroundMlp").Device(tensorflow::DEVICE_CPU), Mlp<false>);
REGISTER_KERNEL_BUILDER(Name("SonogroundMlpBfloat16").Device(tensorflow::DEVICE_CPU), Mlp<true>);

}  // namespace
}  // namespace sonoground
