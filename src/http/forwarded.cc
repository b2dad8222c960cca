#include "hangu/http/forwarded.h"

#include <utility>

#include "hangu/base/parse.h"
#include "hangu/http/host.h"
#include "hangu/http/text.h"

namespace hangu::http {
namespace {

bool is_port(std::string_view text) {
  return text.size() <= 5 && parse_decimal(text, UINT16_MAX).has_value();
}

}  // namespace

std::string_view forwarded_address(std::string_view element) noexcept {
  element = trim_ows(element);
  if (element.empty()) {
    return {};
  }
  if (element.front() == '[') {
    const size_t close = element.find(']');
    if (close == std::string_view::npos) {
      return {};
    }
    const std::string_view address = element.substr(1, close - 1);
    const std::string_view rest = element.substr(close + 1);
    const bool rest_valid = rest.empty() || (rest.front() == ':' && is_port(rest.substr(1)));
    return rest_valid && is_ipv6(address) ? address : std::string_view{};
  }
  const size_t colon = element.find(':');
  if (colon != std::string_view::npos && element.find(':', colon + 1) == std::string_view::npos) {
    const std::string_view address = element.substr(0, colon);
    return is_port(element.substr(colon + 1)) && is_ipv4(address) ? address : std::string_view{};
  }
  return is_ipv4(element) || is_ipv6(element) ? element : std::string_view{};
}

std::string_view take_last_element(std::string_view& list) noexcept {
  const size_t comma = list.rfind(',');
  if (comma == std::string_view::npos) {
    return std::exchange(list, {});
  }
  const std::string_view element = list.substr(comma + 1);
  list = list.substr(0, comma);
  return element;
}

}  // namespace hangu::http
