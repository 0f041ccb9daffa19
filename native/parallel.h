// Work divided among TensorFlow's threads.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <new>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "tsl/platform/denormal.h"

namespace sonoground {

// Scratch memory of a thread, aligned to a cache line because whole registers are read and written.
class Scratch {
 public:
  explicit Scratch(int64_t count) : floats_(static_cast<float*>(::operator new[](count * sizeof(float), kLine, std::nothrow))) {}
  ~Scratch() { ::operator delete[](floats_, kLine, std::nothrow); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  // Null if the allocation failed.
  float* get() const { return floats_; }

 private:
  static constexpr std::align_val_t kLine{64};
  float* floats_;
};

inline absl::Status OutOfMemory(const char* operation) {
  return absl::ResourceExhaustedError(absl::StrCat(operation, ": out of memory"));
}

// Runs `work` on blocks of [0, total), on TensorFlow's own threads.
inline void ParallelFor(tensorflow::OpKernelContext* context, int64_t total, int64_t block,
                        const std::function<void(int64_t, int64_t)>& work) {
  // TensorFlow's threads flush denormals to zero, the calling thread may not: results must not depend on the thread.
  const auto flushing = [&](int64_t from, int64_t to) {
    const tsl::port::ScopedFlushDenormal flush;
    work(from, to);
  };
  const auto& workers = *context->device()->tensorflow_cpu_worker_threads();
  if (workers.num_threads <= 1 || total <= block) {
    flushing(0, total);
  } else {
    // Many small blocks rather than one per thread, so that a delayed thread delays little.
    workers.workers->ParallelFor(total, tsl::thread::ThreadPool::SchedulingParams::Fixed(block), flushing);
  }
}

// Like ParallelFor, with scratch memory of `floats` floats for each call of `work`. Fails, naming the operation, if memory is
// exhausted.
inline absl::Status ParallelForWithScratch(tensorflow::OpKernelContext* context, const char* operation, int64_t total,
                                           int64_t block, int64_t floats,
                                           const std::function<void(int64_t, int64_t, float*)>& work) {
  std::atomic<bool> outOfMemory{false};
  ParallelFor(context, total, block, [&](int64_t from, int64_t to) {
    const Scratch scratch(floats);
    if (scratch.get() == nullptr) outOfMemory = true;
    else work(from, to, scratch.get());
  });
  return outOfMemory ? OutOfMemory(operation) : absl::OkStatus();
}

}  // namespace sonoground
