#include "hangu/admin/server.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/admin/admin_fixture.h"

namespace hangu::admin {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using asio::local::stream_protocol;
using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;
using Kind = BindError::Kind;

class ServerTest : public AdminFixture {
 protected:
  ServerTest() {
    char name[] = "/tmp/hangu-admin-XXXXXX";
    folder_ = ::mkdtemp(name);
    path_ = folder_ + "/a.sock";
  }

  ~ServerTest() override {
    server_.reset();
    std::filesystem::remove_all(folder_);
  }

  Result<void, BindError> serve(ServerLimits limits = {}) {
    server_ = std::make_unique<Server>(context_, *daemon_, limits);
    return server_->apply({.unix_path = path_, .tcp_bind = {}});
  }

  /// Sends `text` and reads until the server closes; the tests ask for `Connection: close`.
  template <class Socket>
  std::string read_all(Socket& socket, const std::string& text) {
    std::string answer;
    bool closed = false;
    asio::async_write(socket, asio::buffer(text), [](auto, size_t) {});
    asio::async_read(socket, asio::dynamic_buffer(answer), [&](auto, size_t) { closed = true; });
    EXPECT_TRUE(control::run_until(context_, [&] { return closed; }));
    return answer;
  }

  std::string send(const std::string& text) {
    stream_protocol::socket socket(context_);
    boost::system::error_code error;
    socket.connect(stream_protocol::endpoint(path_), error);
    return error ? "no connection" : read_all(socket, text);
  }

  static std::string get(const std::string& target, const std::string& more = {}) {
    return "GET " + target + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + more + "\r\n";
  }

  std::string folder_;
  std::string path_;
  std::unique_ptr<Server> server_;
};

TEST_F(ServerTest, AnswersOverTheUnixSocket) {
  start_until_ready();
  ASSERT_TRUE(serve());
  EXPECT_THAT(server_->addresses(), ElementsAre("unix:" + path_));
  const std::string answer = send(get("/ready"));
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(answer, HasSubstr("Cache-Control: no-store\r\n"));
  EXPECT_TRUE(answer.ends_with("\r\n\r\nready\n")) << answer;
}

TEST_F(ServerTest, OneConnectionTakesSeveralRequestsAndHeadHasNoBody) {
  start_until_ready();
  ASSERT_TRUE(serve());
  const std::string first = "GET /health HTTP/1.1\r\nHost: x\r\n\r\n";
  const std::string head = "HEAD /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  const std::string answer = send(first + head);
  EXPECT_THAT(answer, HasSubstr("alive\nHTTP/1.1 200 OK"));
  EXPECT_THAT(answer.substr(answer.find("alive\n") + 6), HasSubstr("Content-Length: 6"));
  EXPECT_TRUE(answer.ends_with("\r\n\r\n")) << answer;
}

TEST_F(ServerTest, ReloadWaitsForItsOutcome) {
  start_until_ready();
  ASSERT_TRUE(serve());
  const std::string post =
      "POST /reload HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n";
  EXPECT_THAT(send(post + "\r\n"), StartsWith("HTTP/1.1 200 "));
  EXPECT_EQ(gateway_.applied, 1);
  EXPECT_THAT(send(post + "Origin: http://evil.test\r\n\r\n"), HasSubstr("admin.browser"));
  EXPECT_EQ(gateway_.applied, 1);
}

TEST_F(ServerTest, BadRequestsAreAnsweredAndBounded) {
  start_until_ready();
  ASSERT_TRUE(serve({.body_bytes_max = 100, .head_bytes_max = 1000}));
  EXPECT_THAT(send("nonsense\r\n\r\n"), HasSubstr("admin.bad_request"));
  EXPECT_THAT(send(get("/ready", "x: " + std::string(2000, 'x') + "\r\n")),
              HasSubstr("admin.head_too_large"));
  EXPECT_THAT(send(get("/ready", "Content-Length: 101\r\n")), HasSubstr("admin.body_too_large"));
}

TEST_F(ServerTest, ASilentClientIsClosedInTime) {
  start_until_ready();
  ASSERT_TRUE(serve({.timeout = milliseconds(20)}));
  EXPECT_EQ(send("GET /ready HTT"), "");
}

TEST_F(ServerTest, ConnectionsBeyondTheLimitAreClosed) {
  start_until_ready();
  ASSERT_TRUE(serve({.connections_max = 1}));
  stream_protocol::socket first(context_);
  first.connect(stream_protocol::endpoint(path_));
  EXPECT_EQ(send(get("/ready")), "");
  EXPECT_THAT(read_all(first, get("/ready")), StartsWith("HTTP/1.1 200 "));
}

TEST_F(ServerTest, ConnectionsOverTcpDoNotShutTheUnixSocket) {
  start_until_ready();
  server_ = std::make_unique<Server>(context_, *daemon_,
                                     ServerLimits{.connections_max = 1, .tcp_connections_max = 1});
  ASSERT_TRUE(server_->apply({.unix_path = path_, .tcp_bind = "127.0.0.1:0"}));
  const std::string address = server_->addresses().at(1);
  const auto port = static_cast<uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
  const tcp::endpoint endpoint(asio::ip::make_address("127.0.0.1"), port);
  tcp::socket first(context_);
  first.connect(endpoint);
  tcp::socket second(context_);
  second.connect(endpoint);
  EXPECT_EQ(read_all(second, get("/ready")), "");
  EXPECT_THAT(send(get("/ready")), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(read_all(first, get("/ready")), StartsWith("HTTP/1.1 200 "));
  tcp::socket third(context_);
  third.connect(endpoint);
  EXPECT_THAT(read_all(third, get("/ready")), StartsWith("HTTP/1.1 200 ")) << "there is room again";
}

TEST_F(ServerTest, OnlyOwnerAndGroupMayOpenTheSocket) {
  start();
  ASSERT_TRUE(serve());

  struct stat info {};

  ASSERT_EQ(::stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777U, 0660U);
}

TEST_F(ServerTest, ASocketInUseIsNotTakenAway) {
  start();
  ASSERT_TRUE(serve());
  Server second(context_, *daemon_);
  const auto bound = second.apply({.unix_path = path_, .tcp_bind = {}});
  ASSERT_FALSE(bound);
  EXPECT_EQ(bound.error().kind, Kind::kInUse);
  EXPECT_THAT(bound.error().message, HasSubstr(path_));
  EXPECT_THAT(send(get("/health")), HasSubstr("alive"));
}

TEST_F(ServerTest, AStaleSocketIsReplacedButNoOtherFile) {
  start();
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path_.copy(address.sun_path, sizeof(address.sun_path) - 1);
  ASSERT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  ::close(fd);
  EXPECT_TRUE(serve());
  server_.reset();

  std::ofstream(path_) << "precious";
  const auto bound = serve();
  ASSERT_FALSE(bound);
  EXPECT_EQ(bound.error().kind, Kind::kOther);
  EXPECT_EQ(std::filesystem::file_size(path_), 8U);
}

TEST_F(ServerTest, MissingFoldersAreMade) {
  start();
  path_ = folder_ + "/run/hangu/a.sock";
  EXPECT_TRUE(serve());
  EXPECT_THAT(send(get("/health")), HasSubstr("alive"));
}

TEST_F(ServerTest, APathThatIsTooLongIsAnError) {
  start();
  path_ = folder_ + "/" + std::string(200, 'a');
  EXPECT_FALSE(serve());
}

TEST_F(ServerTest, TcpWhenAskedFor) {
  start_until_ready();
  server_ = std::make_unique<Server>(context_, *daemon_);
  ASSERT_TRUE(server_->apply({.unix_path = {}, .tcp_bind = "127.0.0.1:0"}));
  ASSERT_EQ(server_->addresses().size(), 1U);
  const std::string address = server_->addresses()[0];
  const auto port = static_cast<uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
  tcp::socket socket(context_);
  socket.connect(tcp::endpoint(asio::ip::address_v4::loopback(), port));
  EXPECT_THAT(read_all(socket, get("/ready")), HasSubstr("ready\n"));

  Server second(context_, *daemon_);
  const auto bound = second.apply({.unix_path = {}, .tcp_bind = address});
  ASSERT_FALSE(bound);
  EXPECT_EQ(bound.error().kind, Kind::kInUse);
}

TEST_F(ServerTest, ApplyMovesAndFailureKeepsWhatWasOpen) {
  start_until_ready();
  ASSERT_TRUE(serve());
  EXPECT_FALSE(server_->apply({.unix_path = "/proc/none/a.sock", .tcp_bind = {}}));
  EXPECT_THAT(send(get("/health")), HasSubstr("alive"));
  const std::string old = path_;
  path_ = folder_ + "/b.sock";
  ASSERT_TRUE(server_->apply({.unix_path = path_, .tcp_bind = {}}));
  EXPECT_THAT(send(get("/health")), HasSubstr("alive"));
  EXPECT_FALSE(std::filesystem::exists(old));
  server_->close();
  EXPECT_FALSE(std::filesystem::exists(path_));
  EXPECT_THAT(server_->addresses(), IsEmpty());
}

}  // namespace
}  // namespace hangu::admin
