#include "tls/stream.h"

#include <algorithm>
#include <utility>

#include <openssl/x509v3.h>

#include "tls/certificate_text.h"

namespace hangu::tls {
namespace {

constexpr size_t kRecordBytesMax = 16 * 1024;

// While TCP's window is small a large record would wait for its last segment: records of one
// segment until so much was sent, and again after a pause.
constexpr size_t kColdRecordBytes = 1350;
constexpr uint64_t kColdBytes = 40 * 1024;
constexpr int64_t kPauseNs = 1'000'000'000;

Stream& stream_of(BIO* bio) {
  return *static_cast<Stream*>(BIO_get_data(bio));
}

int bio_read(BIO* bio, char* out, int bytes) {
  BIO_clear_retry_flags(bio);
  const int got = stream_of(bio).read_wire(out, bytes);
  if (got == 0) {
    BIO_set_retry_read(bio);
    return -1;
  }
  return got;
}

int bio_write(BIO* bio, const char* data, int bytes) {
  BIO_clear_retry_flags(bio);
  return stream_of(bio).write_wire(data, bytes);
}

long bio_control(BIO*, int command, long, void*) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

BIO_METHOD* make_method() {
  BIO_METHOD* method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "hangu");
  BIO_meth_set_read(method, bio_read);
  BIO_meth_set_write(method, bio_write);
  BIO_meth_set_ctrl(method, bio_control);
  return method;
}

}  // namespace

Stream::Stream(Ssl ssl, std::shared_ptr<const void> context, buffer::BlockPool& small,
               buffer::BlockPool& large)
    : context_(std::move(context)),
      ssl_(std::move(ssl)),
      large_(large),
      plain_(small) {
  static BIO_METHOD* const method = make_method();  // of the process
  BIO* bio = BIO_new(method);
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);
}

Stream::~Stream() = default;

// --- the wire ---------------------------------------------------------------------------------

void Stream::feed(buffer::Slice&& bytes) {
  input_.push_back(std::move(bytes));
}

int Stream::read_wire(char* out, int bytes) {
  if (input_first_ == input_.size()) {
    return 0;
  }
  buffer::Slice& front = input_[input_first_];
  const size_t taken = std::min(static_cast<size_t>(bytes), front.view().size());
  std::copy_n(front.data, taken, out);
  front.remove_prefix(taken);
  if (front.size == 0) {
    front = {};
    if (++input_first_ == input_.size()) {
      input_.clear();
      input_first_ = 0;
    }
  }
  return static_cast<int>(taken);
}

int Stream::write_wire(const char* data, int bytes) {
  if (wire_ == nullptr) {
    return bytes;  // a goodbye nobody waits for
  }
  const auto size = static_cast<uint32_t>(bytes);
  if (!record_block_ || record_used_ + size > record_block_->capacity()) {
    record_block_ = large_.acquire();
    if (!record_block_ || size > record_block_->capacity()) {
      record_block_ = buffer::BlockRef::on_heap(size);
    }
    record_used_ = 0;
  }
  char* const to = record_block_->data() + record_used_;
  std::copy_n(data, size, to);
  record_used_ += size;
  wire_->append(buffer::Slice{record_block_, to, size});
  return bytes;
}

// --- reading ----------------------------------------------------------------------------------

net::SecurityLayer::Event Stream::next(buffer::Slice& data, buffer::OutputQueue& wire) {
  if (error_.code != Errc::kNone || end_told_) {
    return Event::kNone;
  }
  wire_ = &wire;
  const Event event = established_ ? read(data) : handshake();
  wire_ = nullptr;
  record_block_ = {};
  return event;
}

bool Stream::pending() const {
  return !input_.empty() || early_data_.size != 0 ||
         (established_ && SSL_pending(ssl_.get()) > 0) || (ended_ && !end_told_);
}

net::SecurityLayer::Event Stream::handshake() {
  ERR_clear_error();
  int done = 0;
  if (early_reading_) {
    done = read_early();
    if (early_data_.size != 0) {
      established_ = true;
      set_details();
      return Event::kEstablished;
    }
  }
  if (!early_reading_) {
    done = SSL_do_handshake(ssl_.get());
  }
  if (done == 1) {
    complete_ = true;
    established_ = true;
    set_details();
    return Event::kEstablished;
  }
  const int why = SSL_get_error(ssl_.get(), done);
  if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) {
    return Event::kNone;
  }
  return fail("the handshake failed");
}

/// What SSL_get_error() takes. Data, if there is some, is in `early_data_` then; with the last of
/// it `early_reading_` ends.
int Stream::read_early() {
  buffer::BlockRef block = large_.acquire();
  if (!block) {
    block = buffer::BlockRef::on_heap(kRecordBytesMax);
  }
  size_t got = 0;
  switch (SSL_read_early_data(ssl_.get(), block->data(), block->capacity(), &got)) {
    case SSL_READ_EARLY_DATA_SUCCESS: break;
    case SSL_READ_EARLY_DATA_FINISH: early_reading_ = false; break;
    default: return -1;
  }
  if (got != 0) {
    const char* const begin = block->data();
    early_data_ = buffer::Slice{std::move(block), begin, static_cast<uint32_t>(got)};
  }
  return 1;
}

net::SecurityLayer::Event Stream::fail(const char* otherwise) {
  const long verified = SSL_get_verify_result(ssl_.get());
  if (verified != X509_V_OK) {
    ERR_clear_error();
    error_ = {Errc::kTlsCertificate, Side::kInternal, Retry::kNever, 0,
              X509_verify_cert_error_string(verified)};
  } else {
    error_ = {Errc::kTlsHandshake, Side::kInternal, Retry::kNever, 0, take_reason(otherwise)};
  }
  return Event::kFailed;
}

/// Early data, then the rest of the handshake.
net::SecurityLayer::Event Stream::read_before_complete(buffer::Slice& data) {
  ERR_clear_error();
  int done = 1;
  if (early_data_.size == 0 && early_reading_) {
    done = read_early();
  }
  if (early_data_.size != 0) {
    data = std::exchange(early_data_, {});
    return Event::kData;
  }
  if (!early_reading_) {
    done = SSL_do_handshake(ssl_.get());
    complete_ = done == 1;
  }
  const int why = SSL_get_error(ssl_.get(), done);
  const bool waits = why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE;
  return complete_ || waits ? Event::kNone : fail("the handshake failed");
}

net::SecurityLayer::Event Stream::read(buffer::Slice& data) {
  if (ended_) {
    end_told_ = true;
    return Event::kEnd;
  }
  if (!complete_) {
    const Event event = read_before_complete(data);
    if (!complete_) {
      return event;
    }
  }
  if (input_.empty() && SSL_pending(ssl_.get()) == 0) {
    return Event::kNone;
  }
  buffer::BlockRef block = large_.acquire();
  if (!block) {
    block = buffer::BlockRef::on_heap(kRecordBytesMax);
  }
  size_t filled = 0;
  int why = SSL_ERROR_NONE;
  while (filled < block->capacity()) {
    size_t got = 0;
    ERR_clear_error();
    if (SSL_read_ex(ssl_.get(), block->data() + filled, block->capacity() - filled, &got) != 1) {
      why = SSL_get_error(ssl_.get(), 0);
      break;
    }
    filled += got;
  }
  ended_ = why == SSL_ERROR_ZERO_RETURN;
  const bool failed = why != SSL_ERROR_NONE && why != SSL_ERROR_WANT_READ && !ended_;
  if (filled != 0) {
    const char* const begin = block->data();
    data = buffer::Slice{std::move(block), begin, static_cast<uint32_t>(filled)};
    return Event::kData;  // a failure shows again with the next call
  }
  if (failed) {
    return fail("malformed record");
  }
  if (ended_) {
    end_told_ = true;
    return Event::kEnd;
  }
  return Event::kNone;
}

// --- writing ----------------------------------------------------------------------------------

size_t Stream::record_bytes_max(int64_t now_ns) {
  if (now_ns - last_write_ns_ > kPauseNs) {
    warm_bytes_ = 0;
  }
  last_write_ns_ = now_ns;
  return warm_bytes_ < kColdBytes ? kColdRecordBytes : kRecordBytesMax;
}

bool Stream::secure(buffer::OutputQueue& wire, size_t bytes_max, int64_t now_ns) {
  if (!established_) {
    return true;
  }
  wire_ = &wire;
  bool written = true;
  while (written && !plain_.empty() && wire.bytes() < bytes_max) {
    const size_t bytes = write_record(record_bytes_max(now_ns));
    written = bytes != 0;
    warm_bytes_ += bytes;
  }
  wire_ = nullptr;
  record_block_ = {};
  if (!written) {
    static_cast<void>(fail("writing failed"));
  }
  return written;
}

/// One record of what waits; 0 when that failed. Small pieces are gathered: a record each would
/// cost ten times as much.
size_t Stream::write_record(size_t bytes_max) {
  thread_local char gathered[kRecordBytesMax];
  iovec pieces[64];
  const auto filled = plain_.fill(pieces, std::size(pieces), bytes_max);
  const char* from = static_cast<const char*>(pieces[0].iov_base);
  size_t bytes = std::min(pieces[0].iov_len, bytes_max);
  if (filled.count > 1 && bytes < bytes_max) {
    bytes = 0;
    for (size_t i = 0; i < filled.count && bytes < bytes_max; ++i) {
      const size_t part = std::min(pieces[i].iov_len, bytes_max - bytes);
      std::copy_n(static_cast<const char*>(pieces[i].iov_base), part, gathered + bytes);
      bytes += part;
    }
    from = gathered;
  }
  size_t written = 0;
  ERR_clear_error();
  const auto write = complete_ ? SSL_write_ex : SSL_write_early_data;
  if (write(ssl_.get(), from, bytes, &written) != 1) {
    return 0;
  }
  plain_.consume(written);
  return written;
}

void Stream::end(buffer::OutputQueue& wire) {
  if (error_.code != Errc::kNone) {
    return;
  }
  wire_ = &wire;
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
  ERR_clear_error();
  wire_ = nullptr;
  record_block_ = {};
}

// --- who is there -----------------------------------------------------------------------------

void Stream::set_details() {
  SSL* const ssl = ssl_.get();
  details_.protocol = SSL_get_version(ssl);
  details_.cipher = SSL_get_cipher_name(ssl);
  details_.resumed = SSL_session_reused(ssl) == 1;
  if (const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name)) {
    server_name_ = name;
    details_.server_name = server_name_;
  }
  const unsigned char* protocol = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl, &protocol, &size);
  details_.application_protocol = {reinterpret_cast<const char*>(protocol), size};
  if (X509* certificate = SSL_get0_peer_certificate(ssl);
      certificate != nullptr && SSL_get_verify_result(ssl) == X509_V_OK) {
    set_peer(certificate);
  }
}

void Stream::set_peer(X509* certificate) {
  peer_subject_ = subject_text(certificate);
  peer_names_ = alternative_names_text(certificate);
  peer_serial_ = serial_text(certificate);
  peer_fingerprint_ = fingerprint_text(certificate);
  details_.peer_subject = peer_subject_;
  details_.peer_names = peer_names_;
  details_.peer_serial = peer_serial_;
  details_.peer_fingerprint = peer_fingerprint_;
}

}  // namespace hangu::tls
