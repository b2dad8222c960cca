#include "hangu/filter/client_filter.h"

#include "hangu/filter/stream.h"

namespace hangu::filter {

FilterStatus ClientFilter::on_request_headers(Stream& stream) const noexcept {
  const std::string_view client = stream.info.client_ip;
  const bool denied = deny_.contains(client);
  if (denied || (!allow_.empty() && !allow_.contains(client))) {
    stream.info.rule = denied ? "deny" : "allow";
    stream.send_local_reply(
        {.status = 403, .code = "client.denied", .detail = "not from this address"}, name());
  }
  return FilterStatus::kContinue;
}

}  // namespace hangu::filter
