// The gradient of ReLU as a TensorFlow operation for the CPU, from its result, as the sign of that is the sign of the input.

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "parallel.h"
#include "tensorflow/core/framework/op.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "tensorflow/core/framework/shape_inference.h"

namespace sonoground {
namespace {

using tensorflow::OpKernel;
using tensorflow::OpKernelConstruction;
using tensorflow::OpKernelContext;
using tensorflow::Tensor;
using tensorflow::shape_inference::InferenceContext;

REGISTER_OP("SonogroundReluGrad")
    .Input("y: float")
    .Input("y_gradient: float")
    .Output("x_gradient: float")
    .SetShapeFn([](InferenceContext* c) {
      c->set_output(0, c->input(0));
      return absl::OkStatus();
    });

// Elements per block: enough to justify waking a thread.
constexpr int64_t kBlock = 1 << 15;

class ReluGrad : public OpKernel {
 public:
  explicit ReluGrad(OpKernelConstruction* context) : OpKernel(context) {}

  void Compute(OpKernelContext* context) override {
    const Tensor &y = context->input(0), &gradient = context->input(1);
    OP_REQUIRES(context, gradient.shape() == y.shape(),
                absl::InvalidArgumentError(absl::StrCat("ReLU: expected y_gradient of shape ", y.shape().DebugString(), ", got ",
                                                        gradient.shape().DebugString())));
    Tensor* output;
    OP_REQUIRES_OK(context, context->forward_input_or_allocate_output({1}, 0, y.shape(), &output));
    const float *from = y.flat<float>().data(), *dy = gradient.flat<float>().data();
    float* to = output->flat<float>().data();
    ParallelFor(context, y.NumElements(), kBlock, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) to[i] = from[i] > 0.0f ? dy[i] : 0.0f;
    });
  }
};

REGISTER_KERNEL_BUILDER(Name("SonogroundReluGrad").Device(tensorflow::DEVICE_CPU), ReluGrad);

}  // namespace
}  // namespace sonoground
