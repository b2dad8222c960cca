// What the texts of a route's actions must look like. See rules.h.
#pragma once

#include "config/rules.h"

namespace hangu::config {

extern const TextRule kOriginRule;
extern const TextRule kSubstitutionRule;
extern const TextRule kHostTextRule;  // of a host; may have variables
extern const TextRule kMediaTypeRule;
extern const TextRule kHostSuffixRule;
extern const TextRule kAllowedNameRule;    // of a field; or `*`
extern const TextRule kAllowedMethodRule;  // or `*`

}  // namespace hangu::config
