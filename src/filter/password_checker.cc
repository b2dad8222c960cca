#include "hangu/filter/password_checker.h"

#include <algorithm>

#include "hangu/filter/basic_authenticator.h"
#include "hangu/filter/stream.h"

namespace hangu::filter {

size_t PasswordMemory::ShardSide::place_of(const identity::Digest& digest) noexcept {
  return identity::DigestHash{}(digest) % kKnownMax;
}

bool PasswordMemory::ShardSide::knows(const identity::Digest& digest,
                                      int64_t now_s) const noexcept {
  if (known_.empty()) {
    return false;
  }
  const Known& known = known_[place_of(digest)];
  return now_s < known.until_s && known.digest == digest;
}

void PasswordMemory::ShardSide::add(const identity::Digest& digest, int64_t until_s) noexcept {
  known_.resize(kKnownMax);
  known_[place_of(digest)] = {.digest = digest, .until_s = until_s};
}

void take_password_answer(const PasswordAnswer& answer, StreamHandles& streams) noexcept {
  const PasswordQuestion& question = answer.question;
  PasswordMemory::ShardSide& side = question.memory->shard(question.shard);
  --side.pending;
  if (answer.verdict == PasswordAnswer::Verdict::kRight) {
    side.add(question.digest, question.until_s);
  }
  if (Stream* stream = streams.find(question.stream)) {
    question.authenticator->answer(*stream, answer);
  }
}

}  // namespace hangu::filter
