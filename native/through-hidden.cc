// Two linear maps in a row with an activation between, as TensorFlow's operation for the CPU: checks, memory and threads. The
// arithmetic is in through-hidden.inc; the results are those of the two maps one after the other, to the last bit.

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

using tensorflow::OpKernel;
using tensorflow::OpKernelConstruction;
using tensorflow::OpKernelContext;
using tensorflow::Tensor;
using tensorflow::shape_inference::InferenceContext;
using tensorflow::shape_inference::ShapeHandle;

REGISTER_OP("SonogroundThroughHidden")
    .Input("x: float")                // [rows, in]
    .Input("expand_weight: float")    // [hidden, in]
    .Input("expand_bias: float")      // [hidden]
    .Input("contract_weight: float")  // [out, hidden]
    .Input("contract_bias: float")    // [out]
    .Input("added: float")            // [rows, out], or empty: nothing
    .Attr("activation: {'', 'Relu', 'GeluExact'} = ''")
    .Output("y: float")  // [rows, out]
    .SetShapeFn([](InferenceContext* c) {
      ShapeHandle x, contract;
      TF_RETURN_IF_ERROR(c->WithRank(c->input(0), 2, &x));
      TF_RETURN_IF_ERROR(c->WithRank(c->input(3), 2, &contract));
      c->set_output(0, c->Matrix(c->Dim(x, 0), c->Dim(contract, 0)));
      return absl::OkStatus();
    });

class ThroughHidden : public OpKernel {
 public:
  explicit ThroughHidden(OpKernelConstruction* context) : OpKernel(context) {
    std::string activation;
    OP_REQUIRES_OK(context, context->GetAttr("activation", &activation));
    activation_ = activation == "Relu" ? LinearMap::kRelu : activation == "GeluExact" ? LinearMap::kGelu : LinearMap::kNone;
  }

  void Compute(OpKernelContext* context) override {
    LinearMap expand = {}, contract = {};
    OP_REQUIRES_OK(context, Read(context, &expand, &contract));
    const int64_t rows = context->input(0).dim_size(0);
    Tensor* y;
    OP_REQUIRES_OK(context, context->allocate_output(0, {rows, contract.out}, &y));
    if (y->NumElements() == 0) return;
    contract.output = y->flat<float>().data();
    Tensor first, second;
    OP_REQUIRES_OK(context, PackWeights(context, expand, &first));
    OP_REQUIRES_OK(context, PackWeights(context, contract, &second));
    Multiply(context, expand, contract, first.flat<float>().data(), second.flat<float>().data(), rows);
  }

 private:
  // Parts for a thread, so that one that is held up holds up little; a part is not smaller than this, and a multiple of it.
  static constexpr int64_t kParts = 2, kFewest = 96;

  absl::Status Read(OpKernelContext* context, LinearMap* expand, LinearMap* contract) const {
    const Tensor &x = context->input(0), &added = context->input(5);
    const Tensor *weights[] = {&context->input(1), &context->input(3)}, *biases[] = {&context->input(2), &context->input(4)};
    LinearMap* maps[] = {expand, contract};
    int64_t in = x.dims() == 2 ? x.dim_size(1) : -1;
    for (int i = 0; i < 2; ++i) {
      const Tensor &weight = *weights[i], &bias = *biases[i];
      if (in < 0 || weight.dims() != 2 || bias.dims() != 1 || weight.dim_size(1) != in || weight.dim_size(0) != bias.dim_size(0))
        return absl::InvalidArgumentError(absl::StrCat(
            "through hidden: expected x [rows, in], weights [hidden, in] and [out, hidden], their biases, got ",
            x.shape().DebugString(), weights[0]->shape().DebugString(), biases[0]->shape().DebugString(),
            weights[1]->shape().DebugString(), biases[1]->shape().DebugString()));
      maps[i]->in = in, maps[i]->out = in = weight.dim_size(0);
      maps[i]->weight = weight.flat<float>().data(), maps[i]->bias = bias.flat<float>().data();
    }
    expand->x = x.flat<float>().data(), expand->activation = activation_;
    if (added.NumElements() == 0) return absl::OkStatus();
    if (added.dims() != 2 || added.dim_size(0) != x.dim_size(0) || added.dim_size(1) != contract->out)
      return absl::InvalidArgumentError(absl::StrCat("through hidden: expected what is added to be [", x.dim_size(0), ",",
                                                     contract->out, "], got ", added.shape().DebugString()));
    contract->added = added.flat<float>().data();
    return absl::OkStatus();
  }

  void Multiply(OpKernelContext* context, const LinearMap& expand, const LinearMap& contract, const float* packedExpand,
                const float* packedContract, int64_t rows) {
    const VectorKernels& kernels = Kernels();
    const int64_t parts = kParts * context->device()->tensorflow_cpu_worker_threads()->num_threads;
    const int64_t share = ((rows + parts - 1) / parts + kFewest - 1) / kFewest * kFewest;
    const int64_t unit = std::min(share, kernels.hiddenRowsAtATime(expand, contract)), blocks = (rows + unit - 1) / unit;
    std::atomic<bool> outOfMemory{false};
    InBlocks(context, blocks, 1, [&](int64_t from, int64_t to) {
      const Scratch scratch(kernels.hiddenScratch(expand, contract, unit));
      if (scratch.get() == nullptr) {
        outOfMemory = true;
        return;
      }
      for (int64_t i = from; i < to; ++i)
        kernels.throughHidden(expand, contract, packedExpand, packedContract, i * unit, std::min(rows, (i + 1) * unit),
                              scratch.get());
    });
    OP_REQUIRES(context, !outOfMemory, absl::ResourceExhaustedError("through hidden: no memory"));
  }

  LinearMap::Activation activation_;
};

REGISTER_KERNEL_BUILDER(Name("SonogroundThroughHidden").Device(tensorflow::DEVICE_CPU), ThroughHidden);

}  // namespace
}  // namespace sonoground
