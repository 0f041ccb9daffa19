// The object may be shared by machines, so vector-kernels.inc is compiled for four kinds of processors, each in a namespace of
// its own and with instructions that only it may use, and chosen from by what the processor says of itself. The file uses
// nothing of the standard library that could be compiled with those instructions and then be shared with other code.

#include "vector-kernels.h"

#include <cstdlib>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif
#endif

#define ALWAYS __attribute__((always_inline))
#define INLINE inline ALWAYS

#if defined(__x86_64__)
#pragma GCC push_options
#pragma GCC target("avx512f,avx512dq,avx512bw,avx512vl,avx2,fma")
#define VARIANT avx512
#define LANES 16
#define TILE_ROWS 12
#define FMA(a, b, c) ((Vector)_mm512_fmadd_ps((__m512)(a), (__m512)(b), (__m512)(c)))
#define INVERSE_ESTIMATE(x) ((Vector)_mm512_rcp14_ps((__m512)(x)))
#define SMALLEST_EXPONENT -200.0f
#define TIMES_POWER(p, n, x) ((Vector)_mm512_scalef_ps((__m512)(p), (__m512)(n)))
#define LOAD_PART(from, count) ((Vector)_mm512_maskz_loadu_ps((__mmask16)((1u << (count)) - 1), from))
#define STORE_PART(to, v, count) _mm512_mask_storeu_ps(to, (__mmask16)((1u << (count)) - 1), (__m512)(v))
#include "vector-kernels.inc"
#undef VARIANT
#pragma GCC pop_options

#if defined(__linux__)
#pragma GCC push_options
#pragma GCC target("avx512f,avx512dq,avx512bw,avx512vl,avx2,fma,amx-tile,amx-bf16")
#define VARIANT amx
#define MATRIX_UNIT
#include "vector-kernels.inc"
#undef VARIANT
#undef MATRIX_UNIT
#pragma GCC pop_options
#endif

#undef LANES
#undef TILE_ROWS
#undef FMA
#undef INVERSE_ESTIMATE
#undef SMALLEST_EXPONENT
#undef TIMES_POWER
#undef LOAD_PART
#undef STORE_PART

#pragma GCC push_options
#pragma GCC target("avx2,fma")
#define VARIANT avx2
#define LANES 8
#define TILE_ROWS 6
#define FMA(a, b, c) ((Vector)_mm256_fmadd_ps((__m256)(a), (__m256)(b), (__m256)(c)))
#define INVERSE_ESTIMATE(x) ((Vector)_mm256_rcp_ps((__m256)(x)))
#define SMALLEST_EXPONENT -87.3f
#define TIMES_POWER(p, n, x) TimesPower(p, n, x)
#define LOAD_PART(from, count) ((Vector)_mm256_maskload_ps(from, (__m256i)(Numbers() < (int32_t)(count))))
#define STORE_PART(to, v, count) _mm256_maskstore_ps(to, (__m256i)(Numbers() < (int32_t)(count)), (__m256)(v))
#include "vector-kernels.inc"
#undef VARIANT
#undef LANES
#undef TILE_ROWS
#undef FMA
#undef INVERSE_ESTIMATE
#undef SMALLEST_EXPONENT
#undef TIMES_POWER
#undef LOAD_PART
#undef STORE_PART
#pragma GCC pop_options
#endif

#define VARIANT portable
#define LANES 4
#define TILE_ROWS 6
#define FMA(a, b, c) ((a) * (b) + (c))
#define INVERSE_ESTIMATE(x) (1.0f / (x))
#define SMALLEST_EXPONENT -87.3f
#define TIMES_POWER(p, n, x) TimesPower(p, n, x)
#define LOAD_PART(from, count) OneByOne(from, count)
#define STORE_PART(to, v, count) \
  for (int64_t i = 0; i < (count); ++i) (to)[i] = (v)[i]
#define ONE_BY_ONE
#include "vector-kernels.inc"

namespace sonoground {
namespace {

#if defined(__x86_64__) && defined(__linux__)
// The matrix unit's registers are large: Linux keeps them for a process that has asked for them.
bool MatrixUnitAllowed() {
  constexpr long kRequest = 0x1023, kTileData = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
  return syscall(SYS_arch_prctl, kRequest, kTileData) == 0;
}
#endif

const VectorKernels& Choose() {
#if defined(__x86_64__)
  const char* wanted = std::getenv("SONOGROUND_VECTORS");
  const auto allowed = [wanted](const char* name) { return wanted == nullptr || std::strcmp(wanted, name) == 0; };
  __builtin_cpu_init();
  const bool has2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  const bool has512 = has2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
#if defined(__linux__)
  const bool hasUnit = has512 && __builtin_cpu_supports("amx-tile") && __builtin_cpu_supports("amx-bf16");
  if (hasUnit && allowed("amx") && MatrixUnitAllowed()) return amx::kKernels;
#endif
  if (has512 && allowed("avx512")) return avx512::kKernels;
  if (has2 && allowed("avx2")) return avx2::kKernels;
#endif
  return portable::kKernels;
}

}  // namespace

const VectorKernels& Kernels() {
  static const VectorKernels& chosen = Choose();
  return chosen;
}

}  // namespace sonoground
