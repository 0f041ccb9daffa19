// Deformable attention as TensorFlow operations for a CUDA device. The operations are declared with the kernels for the CPU, in
// deformable-attention.cc.

#include <vector>

#include "../deformable-inputs.h"
#include "absl/status/status.h"
#include "deformable-attention.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "xla/stream_executor/stream.h"

namespace sonoground {
namespace {

using tensorflow::DEVICE_GPU;
using tensorflow::OpKernel;
using tensorflow::OpKernelConstruction;
using tensorflow::OpKernelContext;
using tensorflow::Tensor;

absl::Status Started(const char* reason) {
  return reason == nullptr ? absl::OkStatus() : absl::InternalError(absl::StrCat("deformable attention: CUDA: ", reason));
}

// Device data of a call, besides its tensors.
struct OnDevice {
  void* stream;
  Tensor levels;
  Inputs in;
};

// Checks the inputs and copies the levels to the device.
absl::Status Prepare(OpKernelContext* context, OnDevice* call) {
  std::vector<Level> levels;
  TF_RETURN_IF_ERROR(ReadInputs(context, &levels, &call->in));
  call->stream = context->op_device_context()->stream()->platform_specific_handle().stream;
  const int64_t count = levels.size();
  TF_RETURN_IF_ERROR(context->allocate_temp(tensorflow::DT_INT8, {static_cast<int64_t>(count * sizeof(Level))}, &call->levels));
  Level* room = reinterpret_cast<Level*>(call->levels.flat<int8_t>().data());
  call->in.levels = room;
  return Started(CopyLevels(call->stream, levels.data(), count, room));
}

class DeformableAttentionOnDevice : public OpKernel {
 public:
  explicit DeformableAttentionOnDevice(OpKernelConstruction* context) : OpKernel(context) {}

  void Compute(OpKernelContext* context) override {
    OnDevice call;
    OP_REQUIRES_OK(context, Prepare(context, &call));
    const Sizes& s = call.in.sizes;
    Tensor* sum;
    OP_REQUIRES_OK(context, context->allocate_output(0, {s.batch, s.queries, s.heads * s.depth}, &sum));
    OP_REQUIRES_OK(context, Started(SampleOnDevice(call.stream, call.in, sum->flat<float>().data())));
  }
};

class DeformableAttentionGradOnDevice : public OpKernel {
 public:
  explicit DeformableAttentionGradOnDevice(OpKernelConstruction* context) : OpKernel(context) {}

  void Compute(OpKernelContext* context) override {
    OnDevice call;
    OP_REQUIRES_OK(context, Prepare(context, &call));
    const Sizes& s = call.in.sizes;
    const Tensor& sumGradient = context->input(4);
    OP_REQUIRES_OK(context, CheckShape(sumGradient, "sum_gradient", {s.batch, s.queries, s.heads * s.depth}));
    Tensor *value, *locations, *weights;
    OP_REQUIRES_OK(context, context->allocate_output(0, context->input(0).shape(), &value));
    OP_REQUIRES_OK(context, context->allocate_output(1, context->input(2).shape(), &locations));
    OP_REQUIRES_OK(context, context->allocate_output(2, context->input(3).shape(), &weights));
    const Gradients out = {value->flat<float>().data(), locations->flat<float>().data(), weights->flat<float>().data()};
    OP_REQUIRES_OK(context, Started(SampleGradientsOnDevice(call.stream, call.in, sumGradient.flat<float>().data(), out)));
  }
};

REGISTER_KERNEL_BUILDER(Name("SonogroundDeformableAttention").Device(DEVICE_GPU).HostMemory("spatial_shapes"),
                        DeformableAttentionOnDevice);
REGISTER_KERNEL_BUILDER(Name("SonogroundDeformableAttentionGrad").Device(DEVICE_GPU).HostMemory("spatial_shapes"),
                        DeformableAttentionGradOnDevice);

}  // namespace
}  // namespace sonoground
