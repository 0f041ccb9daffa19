// Dropout as a TensorFlow operation for the CPU, with its random numbers drawn inside it: those of src/nn/draws.ts, to the last bit.
// The seed is a tensor, so that a recorded graph draws anew in each pass.

#include <algorithm>
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

REGISTER_OP("SonogroundDropout")
    .Input("x: float")
    .Input("seed: int32")  // of the pass, one word
    .Attr("block: int")    // which block of the pass, and which draw of the block
    .Attr("draw: int")
    .Attr("each: int >= 1")       // neighbours in memory that share a number
    .Attr("threshold: int >= 0")  // elements whose 32-bit number is below it become zero
    .Attr("scale: float")         // multiplies the others
    .Output("y: float")
    .SetShapeFn([](InferenceContext* c) {
      c->set_output(0, c->input(0));
      return absl::OkStatus();
    });

// Streams that are drawn from in turns, and numbers in a chunk, which has streams of its own.
constexpr int64_t kStreams = 8, kChunk = 8192;

using Words = uint32_t __attribute__((vector_size(4 * kStreams)));

// The seeding and the numbers of `Rng` in src/util/rng.ts (sfc32), for several streams at a time.
class Streams {
 public:
  Streams(uint32_t seed, uint32_t block, uint32_t draw, uint32_t chunk) {
    for (int64_t i = 0; i < kStreams; ++i) {
      uint32_t a = Mix(seed), b = Mix(kGolden);
      for (const uint32_t step : {block, draw, static_cast<uint32_t>(chunk * kStreams + i)}) {
        a = Mix(a ^ Mix(step + kGolden));
        b = Mix(b + a + step);
      }
      a_[i] = a, b_[i] = b, c_[i] = kGolden, d_[i] = 1;
    }
    for (int i = 0; i < 12; ++i) Next();
  }

  Words Next() {
    const Words next = a_ + b_ + d_;
    d_ += 1;
    a_ = b_ ^ (b_ >> 9);
    b_ = c_ + (c_ << 3);
    c_ = ((c_ << 21) | (c_ >> 11)) + next;
    return next;
  }

 private:
  static constexpr uint32_t kGolden = 0x9e3779b9;

  static uint32_t Mix(uint32_t x) {
    x = (x ^ (x >> 16)) * 0x85ebca6b;
    x = (x ^ (x >> 13)) * 0xc2b2ae35;
    return x ^ (x >> 16);
  }

  Words a_, b_, c_, d_;
};

class Dropout : public OpKernel {
 public:
  explicit Dropout(OpKernelConstruction* context) : OpKernel(context) {
    OP_REQUIRES_OK(context, context->GetAttr("block", &block_));
    OP_REQUIRES_OK(context, context->GetAttr("draw", &draw_));
    OP_REQUIRES_OK(context, context->GetAttr("each", &each_));
    OP_REQUIRES_OK(context, context->GetAttr("threshold", &threshold_));
    OP_REQUIRES_OK(context, context->GetAttr("scale", &scale_));
  }

  void Compute(OpKernelContext* context) override {
    const Tensor &x = context->input(0), &seed = context->input(1);
    OP_REQUIRES(context, seed.NumElements() == 1 && x.NumElements() % each_ == 0,
                absl::InvalidArgumentError(absl::StrCat("dropout: expected a seed of one word, and elements in groups of ", each_,
                                                        ", got ", seed.shape().DebugString(), x.shape().DebugString())));
    Tensor* y;
    OP_REQUIRES_OK(context, context->forward_input_or_allocate_output({0}, 0, x.shape(), &y));
    const uint32_t word = static_cast<uint32_t>(seed.flat<int32_t>()(0));
    const int64_t count = x.NumElements() / each_;
    const float* from = x.flat<float>().data();
    float* to = y->flat<float>().data();
    ParallelFor(context, (count + kChunk - 1) / kChunk, 1, [&](int64_t begin, int64_t end) {
      for (int64_t chunk = begin; chunk < end; ++chunk) {
        Streams streams(word, block_, draw_, chunk);
        const int64_t last = std::min(count, (chunk + 1) * kChunk);
        for (int64_t i = chunk * kChunk; i < last; i += kStreams) Scale(streams.Next(), i, std::min(kStreams, last - i), from, to);
      }
    });
  }

 private:
  void Scale(Words numbers, int64_t first, int64_t count, const float* from, float* to) const {
    float factors[kStreams];
    for (int64_t k = 0; k < kStreams; ++k) factors[k] = numbers[k] < threshold_ ? 0.0f : scale_;
    if (each_ == 1) {
      for (int64_t k = 0; k < count; ++k) to[first + k] = from[first + k] * factors[k];
      return;
    }
    for (int64_t k = 0; k < count; ++k)
      for (int64_t i = (first + k) * each_; i < (first + k + 1) * each_; ++i) to[i] = from[i] * factors[k];
  }

  int64_t block_, draw_, each_, threshold_;
  float scale_;
};

REGISTER_KERNEL_BUILDER(Name("SonogroundDropout").Device(tensorflow::DEVICE_CPU), Dropout);

}  // namespace
}  // namespace sonoground
