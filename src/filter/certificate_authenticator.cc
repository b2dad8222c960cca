#include "hangu/filter/certificate_authenticator.h"

#include "hangu/filter/principal.h"
#include "hangu/filter/stream.h"

namespace hangu::filter {

AuthOutcome CertificateAuthenticator::authenticate(Stream& stream,
                                                   const AuthAsker&) const noexcept {
  using Kind = AuthOutcome::Kind;
  const StreamInfo& info = stream.info;
  if (info.tls_client_subject.empty() && info.tls_client_names.empty()) {
    return {};
  }
  const ConsumerEntry* const found =
      consumers_->find_certificate(info.tls_client_subject, info.tls_client_names);
  if (found == nullptr) {
    return {.kind = Kind::kRefused, .reason = "unknown_certificate"};
  }
  Principal& principal = make_principal(stream);
  take_consumer(principal, *found);
  principal.method = "certificate";
  principal.credential = info.tls_client_fingerprint;
  return {.kind = Kind::kProved, .principal = &principal};
}

}  // namespace hangu::filter
