// RateStore: where the nodes of a cluster count together. Filters ask it on their shard; it lives
// on a thread of its own and answers through the shard's mailbox. Made by server/; here is only
// what filters need to know.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "hangu/config/config.h"

namespace hangu::filter {

class Stream;

class RateStore {
 public:
  /// A count in the store.
  struct Item {
    uint32_t limit = 0;  // its number in the store
    uint64_t key = 0;
    uint64_t cost = 1;
    bool takes = true;    // false: it only has to be there
    bool binding = true;  // false: the request may pass without it
  };

  struct Answer {
    bool known = false;    // false: the store did not answer in time
    bool allowed = false;  // all that is binding was there; else nothing was taken
    uint32_t refused = 0;  // a bit for each item that was not there
    std::array<int64_t, config::kRateLimitsMax> full_in_ns{};  // as the items, afterwards
  };

  /// Who hears the answer, on the stream's shard, if the stream is still there.
  class Asker {
   public:
    virtual void on_rate_answer(Stream& stream, const Answer& answer) const noexcept = 0;

   protected:
    ~Asker() = default;
  };

  virtual ~RateStore() = default;

  /// Whether it answers, as far as is known.
  virtual bool up() const noexcept = 0;

  /// Of the hashes of keys: random, the same on all nodes.
  virtual uint64_t seed() const noexcept = 0;

  /// On the stream's shard. False: nobody will answer. `asker` outlives the stream.
  virtual bool ask(Stream& stream, const Asker& asker, std::span<const Item> items) noexcept = 0;

  /// Counts what has been taken already, soon. On the shard.
  virtual void add(uint32_t shard, const Item& item) noexcept = 0;
};

}  // namespace hangu::filter
