// Stream: TLS on one connection, either side, by OpenSSL over a BIO that reads from received slices
// and writes records into blocks of the shard's pool.
#pragma once

#include <string>
#include <vector>

#include "hangu/net/security_layer.h"

#include "tls/openssl.h"

namespace hangu::tls {

class Stream final : public net::SecurityLayer {
 public:
  /// `ssl`: fresh, its state set to accept or connect. `context` keeps what it refers to alive.
  Stream(Ssl ssl, std::shared_ptr<const void> context, buffer::BlockPool& small,
         buffer::BlockPool& large);
  ~Stream() override;

  /// Of a server: takes what the client sends before the handshake is over.
  void allow_early_data() { early_reading_ = true; }

  void feed(buffer::Slice&& bytes) override;
  Event next(buffer::Slice& data, buffer::OutputQueue& wire) override;
  bool pending() const override;

  buffer::OutputQueue& plain() override { return plain_; }

  bool secure(buffer::OutputQueue& wire, size_t bytes_max, int64_t now_ns) override;
  void end(buffer::OutputQueue& wire) override;

  bool established() const override { return established_; }

  bool early() const override { return established_ && !complete_; }

  Error error() const override { return error_; }

  const net::SecurityDetails& details() const override { return details_; }

  // For the BIO.
  int read_wire(char* out, int bytes);
  int write_wire(const char* data, int bytes);

 private:
  Event handshake();
  int read_early();
  Event read_before_complete(buffer::Slice& data);
  Event read(buffer::Slice& data);
  size_t record_bytes_max(int64_t now_ns);
  size_t write_record(size_t bytes_max);
  void set_details();
  void set_peer(X509* certificate);
  Event fail(const char* otherwise);

  std::shared_ptr<const void> context_;
  Ssl ssl_;
  buffer::BlockPool& large_;
  buffer::OutputQueue plain_;
  std::vector<buffer::Slice> input_;
  size_t input_first_ = 0;
  buffer::OutputQueue* wire_ = nullptr;  // during a call
  buffer::BlockRef record_block_;        // during a call
  uint32_t record_used_ = 0;
  int64_t last_write_ns_ = 0;
  uint64_t warm_bytes_ = 0;  // sent since the start or the last pause
  Error error_{.code = Errc::kNone};
  net::SecurityDetails details_;
  std::string server_name_;
  std::string peer_subject_;
  std::string peer_names_;
  std::string peer_serial_;
  std::string peer_fingerprint_;
  buffer::Slice early_data_;    // that came with the event kEstablished
  bool early_reading_ = false;  // until the client says that no more comes
  bool complete_ = false;       // the handshake is over
  bool established_ = false;
  bool ended_ = false;
  bool end_told_ = false;
};

}  // namespace hangu::tls
