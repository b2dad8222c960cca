// The tables of consumers and authenticators, and what routes say of them; see schema.h.
#pragma once

#include "hangu/config/config.h"

#include "config/type.h"

namespace hangu::config {

TypePtr<Consumer> consumer_keys();
TypePtr<Authenticator> authenticator_keys();
TypePtr<Authentication> authentication_keys();
TypePtr<Authorization> authorization_keys();
TypePtr<IdentityMatch> identity_match_keys();
TypePtr<SplitRule> split_rule_keys();

}  // namespace hangu::config
