#include "hangu/http/field_list.h"

#include "hangu/http/text.h"

namespace hangu::http {

bool list_contains(const HeaderBlock& headers, HeaderName name, std::string_view element) noexcept {
  if (!headers.contains(name)) {
    return false;
  }
  for (const Header& header : headers) {
    std::string_view list = header.token == name ? header.value() : std::string_view{};
    while (!list.empty()) {
      const std::string_view next = next_list_element(list);
      if (equals_ignore_case(trim_ows(next.substr(0, next.find_first_of(";="))), element)) {
        return true;
      }
    }
  }
  return false;
}

void add_vary(HeaderBlock& headers, std::string_view name) noexcept {
  if (!list_contains(headers, HeaderName::kVary, name) &&
      !list_contains(headers, HeaderName::kVary, "*")) {
    static_cast<void>(headers.add(HeaderName::kVary, name));
  }
}

}  // namespace hangu::http
