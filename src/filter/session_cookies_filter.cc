#include "hangu/filter/session_cookies_filter.h"

#include "hangu/filter/credentials.h"
#include "hangu/filter/stream.h"

namespace hangu::filter {

FilterStatus SessionCookiesFilter::on_request_headers(Stream& stream) const noexcept {
  for (const std::string& name : names_) {
    strip_cookie_family(stream, name);
  }
  return FilterStatus::kContinue;
}

}  // namespace hangu::filter
