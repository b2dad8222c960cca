#include "hangu/fleet/key_ring.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include <boost/json.hpp>

#include "hangu/base/base64.h"
#include "hangu/base/hex.h"

#include "fleet/json_fields.h"

namespace hangu::fleet {
namespace {

namespace json = boost::json;
using std::chrono::milliseconds;

constexpr int64_t kSkewMs = 60'000;  // that clocks of nodes may differ by
constexpr int kForgottenAtOnce = 2;
constexpr size_t kIdBytes = 6;

int64_t to_ms(Duration duration) {
  return std::chrono::duration_cast<milliseconds>(duration).count();
}

/// false: there are no random numbers.
bool add_entry(KeyRing& ring, int64_t now_ms) {
  KeyRing::Entry entry;
  entry.id = identity::random_text(kIdBytes);
  entry.created_ms = now_ms;
  const auto secret = decode_base64url(identity::random_text(entry.secret.size()));
  if (entry.id.empty() || !secret || secret->size() != entry.secret.size()) {
    return false;
  }
  std::copy(secret->begin(), secret->end(), entry.secret.begin());
  ring.entries.insert(ring.entries.begin(), std::move(entry));
  return true;
}

/// Whether the clock was set back: what is to come would keep the ring as it is until then.
bool redate(KeyRing& ring, int64_t now_ms) {
  bool changed = false;
  for (KeyRing::Entry& each : ring.entries) {
    for (int64_t* time : {&each.created_ms, &each.replaced_ms}) {
      if (*time > now_ms + kSkewMs) {
        *time = now_ms;
        changed = true;
      }
    }
  }
  return changed;
}

/// Only as often as others come, so that a clock that was set forward does not take them all.
void forget_old(KeyRing& ring, int64_t keep_ms, int64_t now_ms) {
  for (int count = 0; count < kForgottenAtOnce; ++count) {
    const KeyRing::Entry& oldest = ring.entries.back();
    if (oldest.replaced_ms == 0 || now_ms - oldest.replaced_ms < keep_ms) {
      break;
    }
    ring.entries.pop_back();
  }
}

bool is_whole(const KeyRing& ring) {
  const size_t least = ring.pending ? 2 : 1;
  return ring.generation != 0 && ring.entries.size() >= least &&
         ring.entries.size() <= KeyRing::kEntriesMax;
}

}  // namespace

std::vector<std::string> KeyRing::secrets() const {
  std::vector<std::string> all;
  for (const Entry& each : entries) {
    all.emplace_back(each.secret.begin(), each.secret.end());
  }
  if (pending) {
    std::swap(all[0], all[1]);
  }
  return all;
}

std::optional<KeyRing> advance(const KeyRing& ring, const config::SharedKeys& plan, WallTime now) {
  const int64_t now_ms = to_ms(now.time_since_epoch());
  KeyRing next = ring;
  bool changed = redate(next, now_ms);
  if (next.entries.empty()) {
    changed = add_entry(next, now_ms);
  } else if (next.pending && now_ms - next.entries[0].created_ms >= to_ms(plan.lead)) {
    next.pending = false;
    next.entries[1].replaced_ms = now_ms;
    forget_old(next, to_ms(plan.keep), now_ms);
    changed = true;
  } else if (!next.pending && now_ms - next.entries[0].created_ms >= to_ms(plan.rotation) &&
             add_entry(next, now_ms)) {
    next.pending = true;
    next.entries.resize(std::min(next.entries.size(), KeyRing::kEntriesMax));
    changed = true;
  }
  if (!changed) {
    return std::nullopt;
  }
  ++next.generation;
  return next;
}

std::string seal(const KeyRing& ring, const identity::Sealer& sealer) {
  json::array entries;
  for (const KeyRing::Entry& each : ring.entries) {
    entries.push_back({{"id", each.id},
                       {"created_ms", each.created_ms},
                       {"replaced_ms", each.replaced_ms},
                       {"secret", to_hex(each.secret)}});
  }
  return sealer.seal(json::serialize(json::object{{"generation", ring.generation},
                                                  {"pending", ring.pending},
                                                  {"entries", std::move(entries)}}));
}

std::optional<KeyRing> open_ring(std::string_view text, const identity::Sealer& sealer) {
  const auto opened = sealer.open(text);
  if (!opened) {
    return std::nullopt;
  }
  json::error_code error;
  const json::value value = json::parse(*opened, error);
  const Fields fields(error ? nullptr : &value);
  KeyRing ring;
  ring.generation = fields.number("generation");
  ring.pending = fields.flag("pending");
  for (const Fields& each : fields.all("entries")) {
    KeyRing::Entry entry;
    entry.id = each.text("id");
    entry.created_ms = static_cast<int64_t>(each.number("created_ms"));
    entry.replaced_ms = static_cast<int64_t>(each.number("replaced_ms"));
    if (!read_hex(each.text("secret"), entry.secret)) {
      return std::nullopt;
    }
    ring.entries.push_back(std::move(entry));
  }
  return is_whole(ring) ? std::optional(std::move(ring)) : std::nullopt;
}

}  // namespace hangu::fleet
