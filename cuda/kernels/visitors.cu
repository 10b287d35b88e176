#include "kernels/visitors.h"

#include "base/rng.h"
#include "kernels/pool_device.cuh"

enum { THREADS = 128 };

static __device__ __forceinline__ const prism_gpu_row_head_t *head_of(const void *row,
                                                                      size_t row_bytes,
                                                                      int32_t i) {
  return (const prism_gpu_row_head_t *)((const char *)row + (size_t)i * row_bytes);
}

/* Four draws at most, as in a generation. */
static __device__ int32_t draw_member(const prism_gpu_pool_t &pool, int32_t tournament,
                                      uint64_t seed, uint64_t generation, uint32_t row,
                                      uint32_t individual) {
  prism_rng_block_t random = prism_rng_at(seed, generation, row, individual, PRISM_RNG_MIGRATE);
  int32_t best = -1;
  for (int32_t t = 0; t < tournament && t < 4; ++t) {
    int32_t other = (int32_t)prism_rng_scale(random.word[t], (uint32_t)pool.members);
    if (best < 0 || pool.f[other] < pool.f[best]) best = other;
  }
  return best;
}

__global__ void send_kernel(const prism_gpu_control_t *control, prism_gpu_pool_t pool,
                            int32_t tournament, uint64_t seed, uint32_t individual, int32_t age,
                            prism_gpu_outbox_t outbox) {
  const int32_t member = draw_member(pool, tournament, seed, control->generation, blockIdx.x,
                                     individual);
  char *row = (char *)outbox.row + (size_t)blockIdx.x * outbox.row_bytes;
  copy_colors((uint16_t *)(row + sizeof(prism_gpu_row_head_t)), pool_row(pool, member), pool.n,
              (int32_t)threadIdx.x, THREADS);
  if (threadIdx.x == 0) {
    const int32_t f = pool.f[member];
    *(prism_gpu_row_head_t *)row =
        prism_gpu_row_head_t{f == PRISM_GPU_UNKNOWN ? 0 : pool.k, pool.n, f, age};
  }
}

/* Pools that began anew at another time have other things in them: a young pool would be
 * overrun by an old one, which has had its chance, and learns nothing from a younger. */
static __device__ __forceinline__ bool comes_in(const prism_gpu_row_head_t &head,
                                                const prism_gpu_pool_t &pool, int32_t age) {
  enum { SLACK = 10 }; /* generations */
  return head.k == pool.k && head.n == pool.n && head.f >= 0 && head.age <= 2 * age + SLACK &&
         age <= 2 * head.age + SLACK;
}

__global__ void receive_kernel(prism_gpu_control_t *control, prism_gpu_pool_t pool, int32_t room,
                               int32_t age, prism_gpu_inbox_t inbox) {
  const int32_t mine = (int32_t)blockIdx.x;
  int32_t before = 0, all = 0;
  for (int32_t base = 0; base < inbox.rows; base += THREADS) {
    const int32_t i = base + (int32_t)threadIdx.x;
    const bool own = i >= inbox.own && i < inbox.own + inbox.own_rows;
    const bool in =
        i < inbox.rows && !own && comes_in(*head_of(inbox.row, inbox.row_bytes, i), pool, age);
    before += __syncthreads_count(in && i < mine);
    all += __syncthreads_count(in);
  }
  if (mine == 0 && threadIdx.x == 0) control->visitors = all < room ? all : room;
  const bool own = mine >= inbox.own && mine < inbox.own + inbox.own_rows;
  const prism_gpu_row_head_t *head = head_of(inbox.row, inbox.row_bytes, mine);
  if (own || before >= room || !comes_in(*head, pool, age)) return;
  copy_colors(pool_row(pool, pool.members + before), (const uint16_t *)(head + 1), pool.n,
              (int32_t)threadIdx.x, THREADS);
  if (threadIdx.x == 0) pool.f[pool.members + before] = head->f;
}

extern "C" prism_status_t prism_launch_send(const prism_gpu_control_t *control,
                                            const prism_gpu_pool_t *pool, int32_t tournament,
                                            uint64_t seed, uint32_t individual, int32_t age,
                                            const prism_gpu_outbox_t *outbox,
                                            cudaStream_t stream) {
  PRISM_TRY(pool_check(pool));
  if (outbox->rows < 1 || outbox->row_bytes < prism_gpu_row_bytes(pool->n) || tournament < 1)
    PRISM_FAIL(PRISM_INVALID, "%d rows of %zu bytes do not hold members of %d vertices",
               outbox->rows, outbox->row_bytes, pool->n);
  send_kernel<<<(unsigned)outbox->rows, THREADS, 0, stream>>>(control, *pool, tournament, seed,
                                                              individual, age, *outbox);
  return prism_cuda_launched("send_kernel");
}

extern "C" prism_status_t prism_launch_receive(prism_gpu_control_t *control,
                                               const prism_gpu_pool_t *pool, int32_t room,
                                               int32_t age, const prism_gpu_inbox_t *inbox,
                                               cudaStream_t stream) {
  PRISM_TRY(pool_check(pool));
  if (inbox->rows < 1 || room < 0 || inbox->row_bytes < prism_gpu_row_bytes(pool->n))
    PRISM_FAIL(PRISM_INVALID, "%d rows of %zu bytes do not hold members of %d vertices",
               inbox->rows, inbox->row_bytes, pool->n);
  receive_kernel<<<(unsigned)inbox->rows, THREADS, 0, stream>>>(control, *pool, room, age, *inbox);
  return prism_cuda_launched("receive_kernel");
}
