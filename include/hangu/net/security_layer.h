// SecurityLayer: what stands between a Connection's bytes and those on the wire: TLS. Declared here
// so that a connection can own one without knowing which; implemented in tls/. One connection, one
// thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "hangu/base/error.h"
#include "hangu/buffer/block.h"
#include "hangu/buffer/output_queue.h"

namespace hangu::net {

/// What a finished handshake agreed on, and who the peer is; for logs and rules. The views live as
/// long as the layer.
struct SecurityDetails {
  std::string_view protocol;              // "TLSv1.3"
  std::string_view cipher;                // "TLS_AES_256_GCM_SHA384"
  std::string_view server_name;           // that the client asked for (SNI); may be empty
  std::string_view application_protocol;  // agreed by ALPN; may be empty
  std::string_view peer_subject;          // of a certificate that was verified; else empty
  std::string_view peer_names;        // its alternative names, "DNS:a.example, URI:spiffe://..."
  std::string_view peer_serial;       // hexadecimal
  std::string_view peer_fingerprint;  // SHA-256 of the certificate, hexadecimal
  bool resumed = false;
};

class SecurityLayer {
 public:
  virtual ~SecurityLayer() = default;

  enum class Event : uint8_t {
    kNone,         // nothing more until more is received
    kEstablished,  // the handshake is over, or so far that data may pass; once
    kData,         // a piece of plaintext
    kEnd,          // the peer has said that nothing follows
    kFailed,       // error() says why; nothing may follow
  };

  /// Received bytes; they are worked on in next().
  virtual void feed(buffer::Slice&& bytes) = 0;
  /// The next thing that happened; to be called until kNone. May write to `wire`. Also before
  /// anything was received: a client begins.
  virtual Event next(buffer::Slice& data, buffer::OutputQueue& wire) = 0;
  /// Whether next() may have something to tell without more bytes.
  virtual bool pending() const = 0;

  /// What waits to be secured, in order.
  virtual buffer::OutputQueue& plain() = 0;
  /// Secures what waits until `wire` holds `bytes_max`; false: error() says why. Does nothing
  /// before the handshake is over.
  virtual bool secure(buffer::OutputQueue& wire, size_t bytes_max, int64_t now_ns) = 0;
  /// Tells the peer that nothing follows.
  virtual void end(buffer::OutputQueue& wire) = 0;

  virtual bool established() const = 0;
  /// Whether data passes while the handshake is not over: what the peer sent may be a replay.
  virtual bool early() const = 0;
  virtual Error error() const = 0;
  virtual const SecurityDetails& details() const = 0;
};

}  // namespace hangu::net
