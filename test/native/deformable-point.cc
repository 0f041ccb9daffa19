// Compares what the threads of a GPU compute (native/cuda/deformable-point.h), compiled for the host, with the operation for the
// CPU. Prints, as JSON, the largest difference of output and gradients relative to the largest number, over several sizes.

#include <cmath>
#include <cstdio>
#include <limits>
#include <random>
#include <vector>

#include "../../native/cuda/deformable-point.h"
#include "../../native/deformable-sampling.h"

namespace sonoground {
namespace {

using Numbers = std::vector<float>;

float Difference(const Numbers& actual, const Numbers& expected) {
  float largest = 0.0f, difference = 0.0f;
  for (size_t i = 0; i < expected.size(); ++i) {
    if (!std::isfinite(actual[i]) || !std::isfinite(expected[i])) return std::numeric_limits<float>::max();
    largest = std::max(largest, std::fabs(expected[i]));
    difference = std::max(difference, std::fabs(actual[i] - expected[i]));
  }
  return largest == 0.0f ? std::numeric_limits<float>::max() : difference / largest;
}

struct Results {
  Numbers output, value, locations, weights;
  explicit Results(const Inputs& in)
      : output(in.sizes.batch * in.sizes.queries * in.sizes.heads * in.sizes.depth),
        value(in.sizes.batch * in.sizes.cells * in.sizes.heads * in.sizes.depth),
        locations(2 * in.sizes.batch * in.sizes.queries * in.sizes.heads * in.sizes.levels * in.sizes.points),
        weights(locations.size() / 2) {}
};

Results ByOperation(const Inputs& in, const Numbers& gradient) {
  const Sizes& s = in.sizes;
  Results r(in);
  std::vector<Share> table(4 * s.levels * s.points);
  SampleRows(in, 0, s.batch * s.queries, table.data(), r.output.data());
  const Gradients out = {r.value.data(), r.locations.data(), r.weights.data()};
  for (int64_t image = 0; image < s.batch; ++image)
    for (int64_t head = 0; head < s.heads; ++head) {
      const Part part = {image, head, 0, s.levels};
      Numbers scratch(2 * CellsOf(in, part) * s.depth);
      SampleGradients(in, part, gradient.data(), scratch.data(), out);
    }
  return r;
}

// As the kernels go through it: a thread a number, and 32 threads a point, whose products are then added up.
Results ByThreads(const Inputs& in, const Numbers& gradient) {
  Results r(in);
  for (size_t i = 0; i < r.output.size(); ++i) r.output[i] = point::Output(in, i);
  for (size_t i = 0; i < r.weights.size(); ++i) {
    const point::Sample sample = point::SampleAt(in, gradient.data(), i);
    float products[4] = {};
    if (sample.around.inside)
      for (int lane = 0; lane < 32; ++lane)
        for (int64_t d = lane; d < in.sizes.depth; d += 32)
          point::Spread(in, sample, d, r.value.data(), products, [](float* target, float amount) { *target += amount; });
    point::Finish(sample, products, &r.locations[2 * i], &r.weights[i]);
  }
  return r;
}

void Compare(int64_t depth, std::mt19937* random) {
  const std::vector<Level> levels = {{9, 13, 0}, {3, 4, 117}, {1, 1, 129}};
  const Sizes s = {2, 130, 3, depth, 33, 3, 4};
  std::normal_distribution<float> normal;
  std::uniform_real_distribution<float> uniform;
  const auto drawn = [&](int64_t count) {
    Numbers numbers(count);
    for (float& number : numbers) number = normal(*random);
    return numbers;
  };
  const int64_t samples = s.batch * s.queries * s.heads * s.levels * s.points;
  const Numbers value = drawn(s.batch * s.cells * s.heads * depth), weights = drawn(samples);
  const Numbers gradient = drawn(s.batch * s.queries * s.heads * depth);
  const float nan = std::nanf(""), infinity = std::numeric_limits<float>::infinity();
  const float special[] = {nan, infinity, -infinity, 1e30f, -7.0f, 0.0f, 1.0f};
  Numbers locations(2 * samples);
  for (int64_t i = 0; i < 2 * samples; ++i) {
    const Level& level = levels[i / 2 / s.points % s.levels];
    const int64_t side = i % 2 == 0 ? level.width : level.height;
    const float kind = uniform(*random);
    // Also on cell centres, where the slope jumps, and on the borders.
    if (kind < 0.1f) locations[i] = special[static_cast<int>(uniform(*random) * 7) % 7];
    else if (kind < 0.3f) locations[i] = (std::floor(uniform(*random) * (side + 2)) - 0.5f) / side;
    else locations[i] = uniform(*random) * 1.6f - 0.3f;
  }
  const Inputs in = {s, levels.data(), value.data(), locations.data(), weights.data()};
  const Results expected = ByOperation(in, gradient), actual = ByThreads(in, gradient);
  std::printf("{\"depth\": %d, \"output\": %g, \"value\": %g, \"locations\": %g, \"weights\": %g}", static_cast<int>(depth),
              Difference(actual.output, expected.output), Difference(actual.value, expected.value),
              Difference(actual.locations, expected.locations), Difference(actual.weights, expected.weights));
}

}  // namespace
}  // namespace sonoground

int main() {
  std::mt19937 random(5);
  const char* between = "[";
  for (const int64_t depth : {1, 7, 12, 32, 40, 70}) {
    std::fputs(between, stdout);
    sonoground::Compare(depth, &random);
    between = ", ";
  }
  std::puts("]");
  return 0;
}
