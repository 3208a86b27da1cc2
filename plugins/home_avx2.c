/* home_slots_plain() for eight partitions at a time; see draw() in home.c for the why of
 * each line.  Chosen at run time, so the rest of the plugin runs on any machine. */
#include "home.h"

#if defined(__x86_64__) && defined(__GNUC__)

#include <immintrin.h>

#define AVX2 __attribute__((target("avx2")))

bool home_is_wide(void)
{
    return __builtin_cpu_supports("avx2") != 0;
}

AVX2 static inline __m256i all_of(uint32_t x)
{
    return _mm256_set1_epi32((int)x);
}

AVX2 static inline __m256i mix(__m256i x)
{
    x = _mm256_xor_si256(x, _mm256_srli_epi32(x, 16));
    x = _mm256_mullo_epi32(x, all_of(HOME_MIX_ONE));
    x = _mm256_xor_si256(x, _mm256_srli_epi32(x, 15));
    x = _mm256_mullo_epi32(x, all_of(HOME_MIX_TWO));
    return _mm256_xor_si256(x, _mm256_srli_epi32(x, 16));
}

AVX2 static inline __m256i smear(__m256i x)
{
    x = _mm256_or_si256(x, _mm256_srli_epi32(x, 1));
    x = _mm256_or_si256(x, _mm256_srli_epi32(x, 2));
    x = _mm256_or_si256(x, _mm256_srli_epi32(x, 4));
    x = _mm256_or_si256(x, _mm256_srli_epi32(x, 8));
    return _mm256_or_si256(x, _mm256_srli_epi32(x, 16));
}

AVX2 static inline __m256i fold(const uint64_t *hash, const uint32_t *pick)
{
    uint32_t folded[8];

    for (int k = 0; k < 8; k++) {
        uint64_t x = hash[pick[k]];

        folded[k] = (uint32_t)x ^ (uint32_t)(x >> 32);
    }
    return _mm256_loadu_si256((const __m256i *)(const void *)folded);
}

AVX2 static __m256i eight(const struct home *h, __m256i at)
{
    __m256i half = all_of(h->half), under = all_of(h->half - 1);
    __m256i base = at, found = all_of(UINT32_MAX), zero = _mm256_setzero_si256();
    __m256i open = all_of(UINT32_MAX); /* lanes without a slot */

    for (int step = 0; step < HOME_STEPS; step++) {
        __m256i low = _mm256_cmpeq_epi32(_mm256_and_si256(at, half), zero);
        __m256i key = _mm256_blendv_epi8(at, base, low);
        __m256i mask = _mm256_or_si256(under, _mm256_andnot_si256(low, half));
        __m256i all = smear(_mm256_and_si256(key, mask));
        __m256i below = _mm256_srli_epi32(all, 1);
        __m256i x = _mm256_mullo_epi32(
            _mm256_xor_si256(key, _mm256_mullo_epi32(below, all_of(HOME_LEVEL))),
            all_of(HOME_PLACE));
        __m256i slot = _mm256_or_si256(
            _mm256_sub_epi32(all, below),
            _mm256_and_si256(_mm256_xor_si256(x, _mm256_srli_epi32(x, 15)), below));
        __m256i sure =
            _mm256_i32gather_epi32((const int *)(const void *)h->sure, slot, 4);
        __m256i asks = _mm256_srli_epi32(_mm256_mullo_epi32(key, all_of(HOME_REFUSE)), 2);
        __m256i hit = _mm256_and_si256(open, _mm256_cmpgt_epi32(sure, asks));

        found = _mm256_blendv_epi8(found, slot, hit);
        open = _mm256_andnot_si256(hit, open);
        if (_mm256_testz_si256(open, open))
            break;

        __m256i beyond = _mm256_cmpgt_epi32(slot, all_of(h->slots - 1));
        __m256i retry = _mm256_xor_si256(at, all_of(HOME_RETRY));
        __m256i probe = _mm256_add_epi32(base, all_of(HOME_PROBE));

        at = mix(_mm256_blendv_epi8(probe, retry, beyond));
        base = _mm256_blendv_epi8(at, base, beyond);
    }
    return found;
}

AVX2 void home_slots_wide(const struct home *h, const uint64_t *hash,
                          const uint32_t *pick, uint32_t n, uint32_t *ret_slot)
{
    uint32_t i = 0;

    for (; i + 8 <= n; i += 8) {
        __m256i slot = eight(h, mix(fold(hash, pick + i)));

        _mm256_storeu_si256((__m256i *)(void *)(ret_slot + i), slot);
    }
    home_slots_plain(h, hash, pick + i, n - i, ret_slot + i);
}

#else

bool home_is_wide(void)
{
    return false;
}

void home_slots_wide(const struct home *h, const uint64_t *hash, const uint32_t *pick,
                     uint32_t n, uint32_t *ret_slot)
{
    home_slots_plain(h, hash, pick, n, ret_slot);
}

#endif
