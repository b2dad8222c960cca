// `hangu key`: a new API key, which only its owner gets to see, and the digest for the config.
#include <fmt/format.h>

#include "hangu/identity/digest.h"

#include "cli/terminal.h"
#include "cli/verbs.h"

namespace hangu::cli {

int key(const KeyOptions& options, const Environment& environment) {
  const std::string made = identity::make_api_key(options.id);
  identity::StoredDigest digest{.kind = options.hash == "sm3" ? identity::DigestKind::kSm3
                                                              : identity::DigestKind::kSha256};
  if (made.empty() || !identity::compute_digest(digest.kind, made, digest.digest)) {
    print_error(environment, "no key could be made: no randomness, or no such digest here", "");
    return kRuntimeFailure;
  }
  environment.out << made << '\n';
  environment.err << "This is the only time the key is shown. For the config, under `api_keys`:\n"
                  << fmt::format("  - {{id: {}, hash: \"{}\"}}\n", options.id, to_string(digest));
  return kOk;
}

}  // namespace hangu::cli
