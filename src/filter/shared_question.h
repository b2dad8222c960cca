// SharedQuestion: a question about a credential that several requests of a shard wait for: who
// comes first has it asked, the others join. What two authenticators that ask somebody have in
// common; how each takes an answer is its own. One shard.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "hangu/filter/authenticator.h"
#include "hangu/filter/callout.h"
#include "hangu/filter/stream.h"
#include "hangu/identity/digest.h"

namespace hangu::filter {

/// `Question` is what derives from it.
template <class Asking, class Question>
struct SharedQuestion : CalloutAsker {
  struct Waiter {
    StreamHandle stream;
    const Asking* authenticator = nullptr;  // outlives the stream
    const AuthAsker* asker = nullptr;       // the same
  };

  SharedQuestion(const Asking& who, ShardContext& where, const identity::Digest& what)
      : authenticator(who),
        shard(where),
        digest(what) {}

  void on_callout_answer(const CalloutAnswer& answer) noexcept override {
    authenticator.on_answer(static_cast<Question&>(*this), answer);
  }

  // Of the first who asked: the callout keeps its snapshot.
  const Asking& authenticator;
  ShardContext& shard;
  identity::Digest digest;
  std::vector<Waiter> waiters;

 protected:
  ~SharedQuestion() = default;
};

template <class Question>
struct JoinedQuestion {
  Question* question = nullptr;  // nullptr: too many are under way, or wait
  bool is_new = false;           // nobody has asked it yet
};

/// Lets the stream wait for the answer about `digest`.
template <class Question, class Memory, class Asking>
JoinedQuestion<Question> join_question(Memory& memory, const Asking& who, Stream& stream,
                                       const AuthAsker& asker, const identity::Digest& digest,
                                       size_t questions_max) {
  auto& side = memory.shard(stream.shard().shard());
  const auto found = side.asked.find(digest);
  const bool is_new = found == side.asked.end();
  if (side.waiting >= Memory::kWaitersMax || (is_new && side.asked.size() >= questions_max)) {
    return {};
  }
  Question& question =
      is_new ? *side.asked.emplace(digest, std::make_unique<Question>(who, stream.shard(), digest))
                    .first->second
             : *found->second;
  question.waiters.push_back({.stream = stream.handle(), .authenticator = &who, .asker = &asker});
  ++side.waiting;
  return {&question, is_new};
}

/// Begins a POST of a form whose answer is to be JSON. `authorization`: of the gateway; empty:
/// none.
inline void begin_form(Callout& callout, std::string_view authorization,
                       std::string_view request_id) {
  http::RequestHead& request = callout.request();
  request.method = http::Method::kPost;
  request.method_text = "POST";
  bool fits = true;
  const auto add = [&](std::string_view name, std::string_view value) {
    fits = request.headers.add_copy(name, value) && fits;
  };
  add("content-type", "application/x-www-form-urlencoded");
  add("accept", "application/json");
  if (!authorization.empty()) {
    add("authorization", authorization);
  }
  add("x-request-id", request_id);
  static_cast<void>(fits);  // a handful of fields
}

}  // namespace hangu::filter
