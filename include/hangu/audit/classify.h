// What the end of a request is to the audit log. Pure.
#pragma once

#include <cstdint>
#include <string_view>

#include "hangu/audit/record.h"

namespace hangu::audit {

struct Verdict {
  Event event = Event::kRequest;
  Outcome outcome = Outcome::kOk;
  bool security = false;  // refused, failed by what a filter did, or the end of sessions
};

/// `code`: of the gateway's own answer, empty when the upstream answered. `by_filter`: a filter
/// gave it.
Verdict classify(std::string_view code, uint16_t status, bool by_filter) noexcept;

}  // namespace hangu::audit
