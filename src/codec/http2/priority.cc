#include "hangu/codec/http2/priority.h"

#include "hangu/http/text.h"

namespace hangu::codec::http2 {

Priority parse_priority(std::string_view text) noexcept {
  Priority priority;
  while (!text.empty()) {
    std::string_view member = http::next_list_element(text);
    member = http::trim_ows(member.substr(0, member.find(';')));  // without its parameters
    if (member.size() == 3 && member.starts_with("u=") && member[2] >= '0' && member[2] <= '7') {
      priority.urgency = static_cast<uint8_t>(member[2] - '0');
    } else if (member == "i" || member == "i=?1") {
      priority.incremental = true;
    } else if (member == "i=?0") {
      priority.incremental = false;
    }
  }
  return priority;
}

}  // namespace hangu::codec::http2
