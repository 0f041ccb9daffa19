// Layer normalisation, GELU and the name of the selected kernels as TensorFlow operations for the CPU: checks, memory and
// threads. The arithmetic is in layer-norm-gelu.inc.

#include <algorithm>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "kernels.h"
#include "parallel.h"
#include "tensorflow/core/framework/op.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "tensorflow/core/framework/shape_inference.h"

namespace sonoground {
namespace {

using tensorflow::DEVICE_CPU;
using tensorflow::OpKernel;
using tensorflow::OpKernelConstruction;
using tensorflow::OpKernelContext;
using tensorflow::Tensor;
using tensorflow::shape_inference::InferenceContext;

absl::Status SameAsFirst(InferenceContext* c) {
  c->set_output(0, c->input(0));
  return absl::OkStatus();
}

REGISTER_OP("SonogroundProcessor")
    .Output("name: string")  // of the selected kernels
    .SetShapeFn([](InferenceContext* c) {
      c->set_output(0, c->Scalar());
      return absl::OkStatus();
    });

REGISTER_OP("SonogroundLayerNorm")
    .Input("x: float")       // [..., C]
    .Input("weight: float")  // [C]
    .Input("bias: float")    // [C]
    .Attr("epsilon: float")
    .Output("y: float")
    .SetShapeFn(SameAsFirst);

REGISTER_OP("SonogroundLayerNormGrad")
    .Input("x: float")
    .Input("weight: float")
    .Input("y_gradient: float")  // as x
    .Attr("epsilon: float")
    .Output("x_gradient: float")
    .Output("weight_gradient: float")
    .Output("bias_gradient: float")
    .SetShapeFn([](InferenceContext* c) {
      c->set_output(0, c->input(0));
      c->set_output(1, c->input(1));
      c->set_output(2, c->input(1));
      return absl::OkStatus();
    });

REGISTER_OP("SonogroundGelu").Input("x: float").Output("y: float").SetShapeFn(SameAsFirst);
REGISTER_OP("SonogroundGeluGrad").Input("x: float").Input("y_gradient: float").Output("x_gradient: float").SetShapeFn(SameAsFirst);

// Approximate number of elements per block: enough to justify waking a thread.
constexpr int64_t kBlock = 1 << 15;
// Number of rows whose gradients with respect to weight and bias are summed together: fixed, so that the sums do not depend on
// the threads.
constexpr int64_t kSummedRows = 256;

absl::Status CheckSame(const char* operation, const char* name, const Tensor& tensor, const Tensor& expected) {
  if (tensor.shape() == expected.shape()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(operation, ": expected ", name, " of shape ", expected.shape().DebugString(),
                                                 ", got ", tensor.shape().DebugString()));
}

absl::Status CheckFeatures(const Tensor& x, const char* name, const Tensor& vector) {
  if (x.dims() > 0 && x.dim_size(x.dims() - 1) > 0 && vector.dims() == 1 && vector.dim_size(0) == x.dim_size(x.dims() - 1))
    return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("layer norm: expected ", name, " of the length of the last axis of ",
                                                 x.shape().DebugString(), ", got ", vector.shape().DebugString()));
}

class Processor : public OpKernel {
 public:
  explicit Processor(OpKernelConstruction* context) : OpKernel(context) {}
  void Compute(OpKernelContext* context) override {
    Tensor* name;
    OP_REQUIRES_OK(context, context->allocate_output(0, {}, &name));
    name->scalar<tensorflow::tstring>()() = Kernels().name;
  }
};

class LayerNorm : public OpKernel {
 public:
  explicit LayerNorm(OpKernelConstruction* context) : OpKernel(context) {
    OP_REQUIRES_OK(context, context->GetAttr("epsilon", &epsilon_));
  }

  void Compute(OpKernelContext* context) override {
    const Tensor &x = context->input(0), &weight = context->input(1), &bias = context->input(2);
    OP_REQUIRES_OK(context, CheckFeatures(x, "weight", weight));
    OP_REQUIRES_OK(context, CheckFeatures(x, "bias", bias));
    Tensor* y;
    OP_REQUIRES_OK(context, context->allocate_output(0, x.shape(), &y));
    const int64_t columns = weight.NumElements();
    const Norm norm = {.columns = columns,
                       .x = x.flat<float>().data(),
                       .weight = weight.flat<float>().data(),
                       .bias = bias.flat<float>().data(),
                       .eps = epsilon_};
    float* output = y->flat<float>().data();
    ParallelFor(context, x.NumElements() / columns, std::max<int64_t>(1, kBlock / columns),
             [&](int64_t from, int64_t to) { Kernels().layerNorm(norm, from, to, output); });
  }

 private:
  float epsilon_;
};

class LayerNormGrad : public OpKernel {
 public:
  explicit LayerNormGrad(OpKernelConstruction* context) : OpKernel(context) {
    OP_REQUIRES_OK(context, context->GetAttr("epsilon", &epsilon_));
  }

  void Compute(OpKernelContext* context) override {
    const Tensor &x = context->input(0), &weight = context->input(1), &gradient = context->input(2);
    OP_REQUIRES_OK(context, CheckFeatures(x, "weight", weight));
    OP_REQUIRES_OK(context, CheckSame("layer norm", "y_gradient", gradient, x));
    Tensor *atX, *atWeight, *atBias;
    OP_REQUIRES_OK(context, context->allocate_output(0, x.shape(), &atX));
    OP_REQUIRES_OK(context, context->allocate_output(1, weight.shape(), &atWeight));
    OP_REQUIRES_OK(context, context->allocate_output(2, weight.shape(), &atBias));
    const int64_t columns = weight.NumElements(), rows = x.NumElements() / columns;
    const int64_t blocks = (rows + kSummedRows - 1) / kSummedRows;
    const Norm norm = {.columns = columns,
                       .x = x.flat<float>().data(),
                       .weight = weight.flat<float>().data(),
                       .bias = nullptr,
                       .eps = epsilon_};
    const float* dy = gradient.flat<float>().data();
    float* dx = atX->flat<float>().data();
    std::vector<float> sums(blocks * 2 * columns);
    ParallelFor(context, blocks, 1, [&](int64_t from, int64_t to) {
      for (int64_t b = from; b < to; ++b)
        Kernels().layerNormGradient(norm, dy, b * kSummedRows, std::min(rows, (b + 1) * kSummedRows), dx,
                                    sums.data() + b * 2 * columns);
    });
    float *dw = atWeight->flat<float>().data(), *db = atBias->flat<float>().data();
    std::fill(dw, dw + columns, 0.0f);
    std::fill(db, db + columns, 0.0f);
    for (int64_t b = 0; b < blocks; ++b) {
      const float* part = sums.data() + b * 2 * columns;
      for (int64_t i = 0; i < columns; ++i) {
        dw[i] += part[i];
        db[i] += part[columns + i];
      }
    }
  }

 private:
  float epsilon_;
};

class Gelu : public OpKernel {
 public:
  explicit Gelu(OpKernelConstruction* context) : OpKernel(context) {}

  void Compute(OpKernelContext* context) override {
    const Tensor& x = context->input(0);
    Tensor* y;
    OP_REQUIRES_OK(context, context->allocate_output(0, x.shape(), &y));
    const float* from = x.flat<float>().data();
    float* to = y->flat<float>().data();
    ParallelFor(context, x.NumElements(), kBlock,
             [&](int64_t begin, int64_t end) { Kernels().gelu(from + begin, end - begin, to + begin); });
  }
};

class GeluGrad : public OpKernel {
 public:
  explicit GeluGrad(OpKernelConstruction* context) : OpKernel(context) {}

  void Compute(OpKernelContext* context) override {
    const Tensor &x = context->input(0), &gradient = context->input(1);
    OP_REQUIRES_OK(context, CheckSame("GELU", "y_gradient", gradient, x));
    Tensor* output;
    OP_REQUIRES_OK(context, context->allocate_output(0, x.shape(), &output));
    const float *from = x.flat<float>().data(), *dy = gradient.flat<float>().data();
    float* to = output->flat<float>().data();
    ParallelFor(context, x.NumElements(), kBlock, [&](int64_t begin, int64_t end) {
      Kernels().geluGradient(from + begin, dy + begin, end - begin, to + begin);
    });
  }
};

REGISTER_KERNEL_BUILDER(Name("SonogroundProcessor").Device(DEVICE_CPU), Processor);
REGISTER_KERNEL_BUILDER(Name("SonogroundLayerNorm").Device(DEVICE_CPU), LayerNorm);
REGISTER_KERNEL_BUILDER(Name("SonogroundLayerNormGrad").Device(DEVICE_CPU), LayerNormGrad);
REGISTER_KERNEL_BUILDER(Name("SonogroundGelu").Device(DEVICE_CPU), Gelu);
REGISTER_KERNEL_BUILDER(Name("SonogroundGeluGrad").Device(DEVICE_CPU), GeluGrad);

}  // namespace
}  // namespace sonoground
