// ClaimStore: where the nodes of a cluster take what may be taken once only, such as the nonce of a
// signed request. Filters ask it on their shard; it lives on a thread of its own and answers
// through the shard's mailbox. Made by server/; here is only what filters need to know.
#pragma once

#include <array>
#include <cstdint>

#include "hangu/base/clock.h"

namespace hangu::filter {

class Stream;

class ClaimStore {
 public:
  enum class Answer : uint8_t {
    kUnknown,  // it did not answer in time
    kFirst,
    kTaken,  // before, by whomever
  };

  /// What is taken: of all that share the store nobody else's is alike.
  using Key = std::array<uint8_t, 16>;

  /// Who hears the answer, on the stream's shard, if the stream is still there.
  class Asker {
   public:
    virtual void on_claim_answer(Stream& stream, Answer answer) const noexcept = 0;

   protected:
    ~Asker() = default;
  };

  virtual ~ClaimStore() = default;

  /// On the stream's shard: takes it for so long. False: nobody will answer. `asker` lives as long
  /// as the stream.
  virtual bool claim(Stream& stream, const Asker& asker, const Key& key,
                     std::chrono::seconds length) noexcept = 0;
};

}  // namespace hangu::filter
