#include "deformable-sampling.h"

#include <cmath>
#include <cstring>

// Machines with different processors may share the object, so functions are compiled for several and selected at load time.
// Compile with -ffp-contract=off: then all variants give the same bits, and a location meant to hit a cell centre does, since
// product and difference are rounded separately, as in the portable version.
#if defined(__x86_64__)
#define FOR_EACH_PROCESSOR __attribute__((target_clones("avx2", "default")))
#else
#define FOR_EACH_PROCESSOR
#endif
// Inlined into its caller, and hence compiled for each processor as well.
#define INLINE inline __attribute__((always_inline))

namespace sonoground {
namespace {

// Vectors of eight floats on every processor. Rows may be unaligned.
constexpr int kLanes = 8;
typedef float Lanes __attribute__((vector_size(kLanes * sizeof(float))));
typedef float Unaligned __attribute__((vector_size(kLanes * sizeof(float)), aligned(sizeof(float)), may_alias));

// Rows of 32 floats, the usual depth, take four registers.
constexpr int kWide = 4;

// Prefetch distance of the gradient, in queries: the rows of one head are far apart.
constexpr int64_t kAhead = 4;
constexpr int64_t kCacheLine = 64 / sizeof(float);

// The four cells around a point: the upper left one, and the point's distance from it.
struct Around {
  int64_t x, y;
  float right, lower;
  bool hasLeft, hasRight, hasUpper, hasLower;
};

// Returns false if the point touches no cell of the map.
INLINE bool Find(const float* location, const Level& level, Around* around) {
  const float width = static_cast<float>(level.width), height = static_cast<float>(level.height);
  const float x = location[0] * width - 0.5f, y = location[1] * height - 0.5f;
  // Written so that NaN fails it, before the conversion to an integer.
  if (!(x >= -1.0f && x < width && y >= -1.0f && y < height)) return false;
  const float left = std::floor(x), upper = std::floor(y);
  around->x = static_cast<int32_t>(left);
  around->y = static_cast<int32_t>(upper);
  around->right = x - left;
  around->lower = y - upper;
  around->hasLeft = around->x >= 0;
  around->hasRight = around->x + 1 < level.width;
  around->hasUpper = around->y >= 0;
  around->hasLower = around->y + 1 < level.height;
  return true;
}

// Lists the cells that one row of one head reads, and returns their number. A cell outside the map is replaced by its neighbour
// inside, with weight zero.
INLINE int64_t ListShares(const Inputs& in, const float* location, const float* weight, int64_t cellStride, Share* table) {
  Share* next = table;
  for (int64_t l = 0; l < in.sizes.levels; ++l) {
    const Level& level = in.levels[l];
    for (int64_t p = 0; p < in.sizes.points; ++p, location += 2, ++weight) {
      Around a;
      if (!Find(location, level, &a)) continue;
      const int64_t corner = (level.start + a.y * level.width + a.x) * cellStride;
      const int64_t below = level.width * cellStride;
      const int64_t left = a.hasLeft ? corner : corner + cellStride, right = a.hasRight ? corner + cellStride : corner;
      const int64_t upper = a.hasUpper ? 0 : below, lower = a.hasLower ? below : 0;
      const float shareLeft = a.hasLeft ? 1.0f - a.right : 0.0f, shareRight = a.hasRight ? a.right : 0.0f;
      const float shareUpper = a.hasUpper ? (1.0f - a.lower) * *weight : 0.0f;
      const float shareLower = a.hasLower ? a.lower * *weight : 0.0f;
      next[0] = {left + upper, shareUpper * shareLeft};
      next[1] = {right + upper, shareUpper * shareRight};
      next[2] = {left + lower, shareLower * shareLeft};
      next[3] = {right + lower, shareLower * shareRight};
      next += 4;
    }
  }
  return next - table;
}

// Weighted sum of `count` cells of N * 8 floats.
template <int N>
INLINE void Accumulate(const float* value, const Share* shares, int64_t count, float* output) {
  Lanes sum[N] = {};
  for (int64_t i = 0; i < count; ++i) {
    const float* cell = value + shares[i].offset;
    for (int n = 0; n < N; ++n) sum[n] += *reinterpret_cast<const Unaligned*>(cell + n * kLanes) * shares[i].weight;
  }
  for (int n = 0; n < N; ++n) *reinterpret_cast<Unaligned*>(output + n * kLanes) = sum[n];
}

// Adds weight * from to `to`, and the products of `from` and `value` to `sum`. N * 8 floats.
template <int N>
INLINE void SpreadBlock(const float* value, const float* from, float weight, float* to, Lanes* sum) {
  for (int n = 0; n < N; ++n) {
    const Lanes f = *reinterpret_cast<const Unaligned*>(from + n * kLanes);
    Unaligned* target = reinterpret_cast<Unaligned*>(to + n * kLanes);
    *sum += f * *reinterpret_cast<const Unaligned*>(value + n * kLanes);
    *target = *target + f * weight;
  }
}

// The cells of one head and their gradient, [cells, D] each.
struct Cells {
  float* value;
  float* gradient;
  int64_t depth;

  // Scatters the gradient `from` of a sum to the cell at `offset`, and returns the gradient with respect to the cell's weight.
  INLINE float Spread(const float* from, float weight, int64_t offset) const {
    const float* v = value + offset;
    float* g = gradient + offset;
    Lanes sum = {};
    int64_t d = 0;
    for (; d + kWide * kLanes <= depth; d += kWide * kLanes) SpreadBlock<kWide>(v + d, from + d, weight, g + d, &sum);
    for (; d + kLanes <= depth; d += kLanes) SpreadBlock<1>(v + d, from + d, weight, g + d, &sum);
    float rest = 0.0f;
    for (; d < depth; ++d) {
      rest += from[d] * v[d];
      g[d] += from[d] * weight;
    }
    return ((sum[0] + sum[4]) + (sum[1] + sum[5])) + ((sum[2] + sum[6]) + (sum[3] + sum[7])) + rest;
  }
};

INLINE void Prefetch(const float* begin, int64_t count) {
  for (int64_t i = 0; i < count; i += kCacheLine) __builtin_prefetch(begin + i);
}

}  // namespace

FOR_EACH_PROCESSOR
void SampleRows(const Inputs& in, int64_t from, int64_t to, Share* table, float* output) {
  const Sizes& s = in.sizes;
  const int64_t cellStride = s.heads * s.depth, perHead = s.levels * s.points;
  for (int64_t row = from; row < to; ++row) {
    const float* image = in.value + row / s.queries * s.cells * cellStride;
    for (int64_t h = 0; h < s.heads; ++h) {
      const int64_t head = row * s.heads + h;
      const int64_t count =
          ListShares(in, in.locations + head * perHead * 2, in.weights + head * perHead, cellStride, table);
      const float* value = image + h * s.depth;
      float* sum = output + head * s.depth;
      int64_t d = 0;
      for (; d + kWide * kLanes <= s.depth; d += kWide * kLanes) Accumulate<kWide>(value + d, table, count, sum + d);
      for (; d + kLanes <= s.depth; d += kLanes) Accumulate<1>(value + d, table, count, sum + d);
      for (; d < s.depth; ++d) {
        float rest = 0.0f;
        for (int64_t i = 0; i < count; ++i) rest += value[table[i].offset + d] * table[i].weight;
        sum[d] = rest;
      }
    }
  }
}

int64_t CellsOf(const Inputs& in, const Part& part) {
  const Level& last = in.levels[part.endLevel - 1];
  return last.start + last.height * last.width - in.levels[part.firstLevel].start;
}

FOR_EACH_PROCESSOR
void SampleGradients(const Inputs& in, const Part& part, const float* outputGradient, float* scratch, const Gradients& out) {
  const Sizes& s = in.sizes;
  const int64_t count = CellsOf(in, part), first = in.levels[part.firstLevel].start;
  const int64_t cellStride = s.heads * s.depth;
  const int64_t begin = ((part.image * s.cells + first) * s.heads + part.head) * s.depth;

  // a) One head's cells are H * D floats apart, which uses only a fraction of each cache line: copies are contiguous.
  const Cells cells = {scratch, scratch + count * s.depth, s.depth};
  const size_t cellBytes = s.depth * sizeof(float);
  for (int64_t c = 0; c < count; ++c) std::memcpy(cells.value + c * s.depth, in.value + begin + c * cellStride, cellBytes);
  std::memset(cells.gradient, 0, count * cellBytes);

  // b) Point by point.
  const int64_t points = (part.endLevel - part.firstLevel) * s.points;
  const int64_t step = s.heads * s.levels * s.points;  // from one query's points to the next one's
  for (int64_t q = 0; q < s.queries; ++q) {
    const int64_t head = (part.image * s.queries + q) * s.heads + part.head;
    const float* from = outputGradient + head * s.depth;
    int64_t i = (head * s.levels + part.firstLevel) * s.points;
    if (q + kAhead < s.queries) {
      Prefetch(from + kAhead * cellStride, s.depth);
      Prefetch(in.locations + 2 * (i + kAhead * step), 2 * points);
      Prefetch(in.weights + i + kAhead * step, points);
      Prefetch(out.locations + 2 * (i + kAhead * step), 2 * points);
      Prefetch(out.weights + i + kAhead * step, points);
    }
    for (int64_t l = part.firstLevel; l < part.endLevel; ++l) {
      const Level& level = in.levels[l];
      for (int64_t p = 0; p < s.points; ++p, ++i) {
        Around a;
        if (!Find(in.locations + 2 * i, level, &a)) {
          out.locations[2 * i] = out.locations[2 * i + 1] = out.weights[i] = 0.0f;
          continue;
        }
        const float weight = in.weights[i];
        const float left = 1.0f - a.right, upper = 1.0f - a.lower;
        const int64_t corner = (level.start - first + a.y * level.width + a.x) * s.depth;
        const int64_t beside = s.depth, below = level.width * s.depth;
        float upperLeft = 0.0f, upperRight = 0.0f, lowerLeft = 0.0f, lowerRight = 0.0f;
        if (a.hasUpper && a.hasLeft) upperLeft = cells.Spread(from, weight * upper * left, corner);
        if (a.hasUpper && a.hasRight) upperRight = cells.Spread(from, weight * upper * a.right, corner + beside);
        if (a.hasLower && a.hasLeft) lowerLeft = cells.Spread(from, weight * a.lower * left, corner + below);
        if (a.hasLower && a.hasRight) lowerRight = cells.Spread(from, weight * a.lower * a.right, corner + below + beside);
        out.weights[i] = upper * (left * upperLeft + a.right * upperRight) + a.lower * (left * lowerLeft + a.right * lowerRight);
        const float alongX = upper * (upperRight - upperLeft) + a.lower * (lowerRight - lowerLeft);
        const float alongY = left * (lowerLeft - upperLeft) + a.right * (lowerRight - upperRight);
        out.locations[2 * i] = weight * static_cast<float>(level.width) * alongX;
        out.locations[2 * i + 1] = weight * static_cast<float>(level.height) * alongY;
      }
    }
  }

  // c) Copy the gradients back.
  for (int64_t c = 0; c < count; ++c) std::memcpy(out.value + begin + c * cellStride, cells.gradient + c * s.depth, cellBytes);
}

}  // namespace sonoground
