// The session of `hangu login`: its token, in a file that only its owner can read, one for each
// address of an admin API.
#pragma once

#include <string>

#include "hangu/base/result.h"

namespace hangu::cli {

/// Empty: there is none.
std::string read_session(const std::string& address);
/// The error says why nothing could be kept.
Result<void, std::string> keep_session(const std::string& address, const std::string& token);
void forget_session(const std::string& address);

}  // namespace hangu::cli
