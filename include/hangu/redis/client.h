// Client: one connection to a Redis or Valkey server: commands go out pipelined, replies come back
// in their order. It does not reconnect, keeps no time and knows no command: its owner does. One
// thread, that of its loop.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "hangu/net/address.h"
#include "hangu/net/connection.h"
#include "hangu/net/security_layer.h"

struct redisReply;
struct redisReader;

namespace hangu::redis {

/// A reply, or an element of one; valid in the call that hands it out.
class Reply {
 public:
  explicit Reply(const redisReply* reply)
      : reply_(reply) {}

  bool is_error() const;
  bool is_integer() const;
  bool is_text() const;  // a simple or a bulk string
  bool is_nil() const;

  int64_t integer() const;        // 0 for anything else
  std::string_view text() const;  // of an error its message; empty for anything else
  size_t size() const;            // of an array; 0 for anything else
  Reply at(size_t index) const;   // below size()

 private:
  const redisReply* reply_;
};

class ClientHandler {
 public:
  virtual void on_open() noexcept = 0;
  virtual void on_reply(const Reply& reply) noexcept = 0;
  /// The connection is over, or could not be made; commands without a reply get none.
  virtual void on_closed(std::string_view reason) noexcept = 0;

 protected:
  ~ClientHandler() = default;
};

class Client final : private net::ConnectionHandler {
 public:
  Client(event::Loop& loop, buffer::BlockPool& small_blocks, ClientHandler& handler);
  ~Client();

  /// Not while open. `security`: TLS, or nullptr; on_open() comes after its handshake.
  void connect(const net::Address& address, std::unique_ptr<net::SecurityLayer> security = nullptr);

  /// Appends a command; send() lets all that were appended go.
  void command(std::initializer_list<std::string_view> words);
  /// The same in pieces: so many words follow.
  void begin_command(size_t words);
  void add_word(std::string_view word);
  void send();

  /// Without on_closed().
  void close();

 private:
  struct FreeReader {
    void operator()(redisReader* reader) const noexcept;
  };

  // net::ConnectionHandler
  void on_connected(Result<void> result) noexcept override;
  void on_data(buffer::Slice data) noexcept override;
  void on_end() noexcept override;
  void on_error(Error error) noexcept override;

  void on_writable() noexcept override {}

  void on_flushed() noexcept override {}

  void fail(std::string_view reason) noexcept;

  event::Loop& loop_;
  buffer::BlockPool& small_blocks_;
  ClientHandler& handler_;
  net::ConnectionPtr connection_;
  std::unique_ptr<redisReader, FreeReader> reader_;
  std::string output_;
};

}  // namespace hangu::redis
