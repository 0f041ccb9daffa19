// Deformable attention on a CUDA device. The arithmetic is in deformable-point.h.

#include "deformable-attention.h"

#include <algorithm>

#include "deformable-point.h"

namespace sonoground {
namespace {

constexpr int kThreads = 256;
constexpr int kWarp = 32;
// Maximum number of blocks; beyond it each thread computes several elements.
constexpr int64_t kBlocks = 1 << 20;
constexpr unsigned kAll = 0xffffffffu;

struct AddOnDevice {
  __device__ void operator()(float* target, float amount) const { atomicAdd(target, amount); }
};

// One thread per output element: those of a warp lie in one row, and so do the elements that they read.
__global__ void Sample(Inputs in, int64_t numbers, float* output) {
  const int64_t step = static_cast<int64_t>(gridDim.x) * blockDim.x;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < numbers; i += step)
    output[i] = point::Output(in, i);
}

// One warp per point; each lane takes every 32nd element of the head.
__global__ void SampleGradients(Inputs in, int64_t samples, const float* outputGradient, Gradients out) {
  const int64_t step = static_cast<int64_t>(gridDim.x) * (blockDim.x / kWarp);
  const int lane = threadIdx.x % kWarp;
  for (int64_t i = (static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x) / kWarp; i < samples; i += step) {
    const point::Sample sample = point::SampleAt(in, outputGradient, i);
    float products[4] = {};
    if (sample.around.inside)
      for (int64_t d = lane; d < in.sizes.depth; d += kWarp) point::Spread(in, sample, d, out.value, products, AddOnDevice());
    for (int corner = 0; corner < 4; ++corner)
      for (int other = kWarp / 2; other > 0; other /= 2) products[corner] += __shfl_xor_sync(kAll, products[corner], other);
    if (lane == 0) point::Finish(sample, products, out.locations + 2 * i, out.weights + i);
  }
}

unsigned BlocksFor(int64_t threads) {
  return static_cast<unsigned>(std::min((threads + kThreads - 1) / kThreads, kBlocks));
}

const char* Told(cudaError_t error) { return error == cudaSuccess ? nullptr : cudaGetErrorString(error); }

}  // namespace

const char* CopyLevels(void* stream, const Level* levels, int64_t count, Level* room) {
  // Pageable host memory is copied before the call returns.
  return Told(cudaMemcpyAsync(room, levels, count * sizeof(Level), cudaMemcpyHostToDevice, static_cast<cudaStream_t>(stream)));
}

const char* SampleOnDevice(void* stream, const Inputs& in, float* output) {
  const Sizes& s = in.sizes;
  const int64_t numbers = s.batch * s.queries * s.heads * s.depth;
  if (numbers == 0) return nullptr;
  Sample<<<BlocksFor(numbers), kThreads, 0, static_cast<cudaStream_t>(stream)>>>(in, numbers, output);
  return Told(cudaGetLastError());
}

const char* SampleGradientsOnDevice(void* stream, const Inputs& in, const float* outputGradient, const Gradients& out) {
  const Sizes& s = in.sizes;
  const auto cuda = static_cast<cudaStream_t>(stream);
  const int64_t cells = s.batch * s.cells * s.heads * s.depth;
  const int64_t samples = s.batch * s.queries * s.heads * s.levels * s.points;
  if (cells > 0)
    if (const char* reason = Told(cudaMemsetAsync(out.value, 0, cells * sizeof(float), cuda))) return reason;
  if (samples == 0) return nullptr;
  SampleGradients<<<BlocksFor(samples * kWarp), kThreads, 0, cuda>>>(in, samples, outputGradient, out);
  return Told(cudaGetLastError());
}

}  // namespace sonoground
