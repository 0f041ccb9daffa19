// Work that is divided among TensorFlow's threads.
#pragma once

#include <cstdint>
#include <functional>
#include <new>

#include "tensorflow/core/framework/op_kernel.h"
#include "tsl/platform/denormal.h"

namespace sonoground {

// Memory for what a thread works on, at the beginning of a cache line, where registers are read and written at once.
class Scratch {
 public:
  explicit Scratch(int64_t count) : floats_(static_cast<float*>(::operator new[](count * sizeof(float), kLine, std::nothrow))) {}
  ~Scratch() { ::operator delete[](floats_, kLine, std::nothrow); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  // Null where there is no memory.
  float* get() const { return floats_; }

 private:
  static constexpr std::align_val_t kLine{64};
  float* floats_;
};

// Runs `work` on blocks of [0, total), on TensorFlow's own threads.
inline void InBlocks(tensorflow::OpKernelContext* context, int64_t total, int64_t block, const std::function<void(int64_t, int64_t)>& work) {
  // TensorFlow's threads flush the smallest numbers to zero, the calling one may not: results must not depend on who works.
  const auto flushing = [&](int64_t from, int64_t to) {
    const tsl::port::ScopedFlushDenormal flush;
    work(from, to);
  };
  const auto& workers = *context->device()->tensorflow_cpu_worker_threads();
  if (workers.num_threads <= 1 || total <= block) {
    flushing(0, total);
  } else {
    // Many small blocks rather than one a thread: a thread that is held up then holds up little.
    workers.workers->ParallelFor(
        total,
        tsl::thread::ThreadPool::SchedulingParams(tsl::thread::ThreadPool::SchedulingStrategy::kFixedBlockSize, {}, block),
        flushing);
  }
}

}  // namespace sonoground
