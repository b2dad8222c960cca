#include "hangu/filter/client_filter.h"

#include "hangu/filter/stream.h"

#include "filter/action_counters.h"

namespace hangu::filter {

FilterStatus ClientFilter::on_request_headers(Stream& stream) const noexcept {
  const std::string_view client = stream.info.client_ip;
  const auto listed = [&](const Listed& set) { return set != nullptr && set->contains(client); };
  const bool denied = deny_.contains(client) || listed(deny_listed_);
  const bool all_allowed = allow_.empty() && allow_listed_ == nullptr;
  if (!denied && (all_allowed || allow_.contains(client) || listed(allow_listed_))) {
    return FilterStatus::kContinue;
  }
  if (shadow_) {
    action_counters(stream).clients_shadow.add();
    stream.note_shadow(name());
    return FilterStatus::kContinue;
  }
  stream.info.rule = denied ? "deny" : "allow";
  stream.send_local_reply(
      {.status = 403, .code = "client.denied", .detail = "not from this address"}, name());
  return FilterStatus::kContinue;
}

}  // namespace hangu::filter
