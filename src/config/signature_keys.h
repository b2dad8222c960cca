// The keys of signed requests: what consumers sign with, and how signatures are verified.
#pragma once

#include "hangu/config/config.h"

#include "config/type.h"

namespace hangu::config {

TypePtr<SigningKey> signing_key_keys();
TypePtr<SignatureAuth> signature_auth_keys();

}  // namespace hangu::config
