// The weight of a linear map in the order of the product.
#pragma once

#include "in-blocks.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "vector-kernels.h"

namespace sonoground {

inline int64_t Panels(const LinearMap& m) { return (m.out + Kernels().panel - 1) / Kernels().panel; }

// Brings all of it into order, on TensorFlow's threads.
inline absl::Status PackWeights(tensorflow::OpKernelContext* context, const LinearMap& m, tensorflow::Tensor* packed) {
  const int64_t size = Kernels().panelSize(m);
  const absl::Status allocated = context->allocate_temp(tensorflow::DT_FLOAT, {Panels(m) * size}, packed);
  if (!allocated.ok()) return allocated;
  float* weight = packed->flat<float>().data();
  InBlocks(context, Panels(m), 1, [&](int64_t from, int64_t to) { Kernels().packWeight(m, from, to, weight + from * size); });
  return allocated;
}

}  // namespace sonoground
