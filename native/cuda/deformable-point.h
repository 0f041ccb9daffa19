// Deformable attention one element at a time, as computed by the threads of a GPU. The same code is compiled for the host, where
// it is tested against deformable-sampling.cc. Compile with -fmad=false (nvcc) or -ffp-contract=off: a fused rounding could make
// a location miss the cell centre that it is meant to hit.
#pragma once

#include <cmath>
#include <cstdint>

#include "../deformable-sampling.h"

#if defined(__CUDACC__)
#define ON_BOTH __host__ __device__ inline
#else
#define ON_BOTH inline
#endif

namespace sonoground {
namespace point {

// The four cells around a point: the upper left one, and the point's distance from it.
struct Around {
  int64_t x, y;
  float right, lower;
  bool inside;
};

ON_BOTH Around Find(const float* location, const Level& level) {
  const float width = static_cast<float>(level.width), height = static_cast<float>(level.height);
  const float x = location[0] * width - 0.5f, y = location[1] * height - 0.5f;
  // Written so that NaN fails it, before the conversion to an integer.
  if (!(x >= -1.0f && x < width && y >= -1.0f && y < height)) return {0, 0, 0.0f, 0.0f, false};
  const float left = floorf(x), upper = floorf(y);
  return {static_cast<int64_t>(left), static_cast<int64_t>(upper), x - left, y - upper, true};
}

// Bilinear weight of a corner (bit 0: right, bit 1: below).
ON_BOTH float ShareOf(const Around& a, int corner) {
  return ((corner & 1) != 0 ? a.right : 1.0f - a.right) * ((corner & 2) != 0 ? a.lower : 1.0f - a.lower);
}

// Index of the first element of a corner's cell for one head, or -1 if the cell lies outside the map.
ON_BOTH int64_t CellOf(const Sizes& s, const Level& level, const Around& a, int corner, int64_t image, int64_t head) {
  const int64_t x = a.x + (corner & 1), y = a.y + (corner >> 1);
  if (x < 0 || x >= level.width || y < 0 || y >= level.height) return -1;
  return ((image * s.cells + level.start + y * level.width + x) * s.heads + head) * s.depth;
}

// The element at `index` of the output [B, Q, H, D].
ON_BOTH float Output(const Inputs& in, int64_t index) {
  const Sizes& s = in.sizes;
  const int64_t d = index % s.depth, row = index / s.depth;  // row of B * Q * H
  const int64_t head = row % s.heads, image = row / s.heads / s.queries;
  float sum = 0.0f;
  for (int64_t l = 0; l < s.levels; ++l) {
    const Level level = in.levels[l];
    for (int64_t p = 0; p < s.points; ++p) {
      const int64_t i = (row * s.levels + l) * s.points + p;
      const Around a = Find(in.locations + 2 * i, level);
      if (!a.inside) continue;
      for (int corner = 0; corner < 4; ++corner) {
        const int64_t cell = CellOf(s, level, a, corner, image, head);
        if (cell >= 0) sum += in.value[cell + d] * (ShareOf(a, corner) * in.weights[i]);
      }
    }
  }
  return sum;
}

// One of the B * Q * H * L * P points, with its output's gradient.
struct Sample {
  Around around;
  Level level;
  float weight;
  int64_t image, head;
  const float* gradient;
};

ON_BOTH Sample SampleAt(const Inputs& in, const float* outputGradient, int64_t i) {
  const Sizes& s = in.sizes;
  const Level level = in.levels[i / s.points % s.levels];
  const int64_t row = i / s.points / s.levels;
  return {Find(in.locations + 2 * i, level), level, in.weights[i], row / s.heads / s.queries, row % s.heads,
          outputGradient + row * s.depth};
}

// For the d-th element of a sample, adds the gradient of each corner's cell to `valueGradient` with `add`, and the product of
// gradient and value at each corner to `products`.
template <typename Add>
ON_BOTH void Spread(const Inputs& in, const Sample& sample, int64_t d, float* valueGradient, float products[4], Add add) {
  const float gradient = sample.gradient[d];
  for (int corner = 0; corner < 4; ++corner) {
    const int64_t cell = CellOf(in.sizes, sample.level, sample.around, corner, sample.image, sample.head);
    if (cell < 0) continue;
    products[corner] += gradient * in.value[cell + d];
    add(valueGradient + cell + d, gradient * (ShareOf(sample.around, corner) * sample.weight));
  }
}

// Writes the gradients with respect to a sample's location and weight from the products summed over all its elements.
ON_BOTH void Finish(const Sample& sample, const float products[4], float* locationGradient, float* weightGradient) {
  const Around& a = sample.around;
  const float left = 1.0f - a.right, upper = 1.0f - a.lower;
  const float upperLeft = products[0], upperRight = products[1], lowerLeft = products[2], lowerRight = products[3];
  *weightGradient = upper * (left * upperLeft + a.right * upperRight) + a.lower * (left * lowerLeft + a.right * lowerRight);
  const float alongX = upper * (upperRight - upperLeft) + a.lower * (lowerRight - lowerLeft);
  const float alongY = left * (lowerLeft - upperLeft) + a.right * (lowerRight - upperRight);
  locationGradient[0] = sample.weight * static_cast<float>(sample.level.width) * alongX;
  locationGradient[1] = sample.weight * static_cast<float>(sample.level.height) * alongY;
}

}  // namespace point
}  // namespace sonoground
