#include "hangu/filter/respond_filter.h"

#include "hangu/filter/stream.h"

namespace hangu::filter {

FilterStatus RespondFilter::on_request_headers(Stream& stream) const noexcept {
  const auto seconds =
      std::chrono::duration_cast<std::chrono::seconds>(response_.retry_after).count();
  stream.send_local_reply({.status = static_cast<int>(response_.status),
                           .code = "route.respond",
                           .retry_after_s = static_cast<uint32_t>(seconds),
                           .content_type = response_.content_type,
                           .body = response_.file.empty() ? response_.body : response_.contents},
                          name());
  return FilterStatus::kContinue;
}

}  // namespace hangu::filter
