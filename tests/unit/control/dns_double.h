// DnsDouble: a DNS server on loopback UDP that says what a test told it to: addresses with a TTL,
// SRV records, NXDOMAIN or nothing at all. Runs on the test's io_context.
#pragma once

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>

namespace hangu::control {

class DnsDouble {
 public:
  struct Srv {
    uint16_t priority = 0;
    uint16_t weight = 0;
    uint16_t port = 0;
    std::string target;
  };

  struct Zone {
    std::vector<std::string> v4{};
    std::vector<std::string> v6{};
    std::vector<Srv> srv{};
    uint32_t ttl = 60;
    bool silent = false;
  };

  explicit DnsDouble(boost::asio::io_context& context)
      : socket_(context, {boost::asio::ip::address_v4::loopback(), 0}) {
    receive();
  }

  std::string address() const {
    return "127.0.0.1:" + std::to_string(socket_.local_endpoint().port());
  }

  void set(const std::string& name, Zone zone) { zones_[name] = std::move(zone); }

  void erase(const std::string& name) { zones_.erase(name); }

  uint64_t queries() const { return queries_; }

 private:
  static constexpr uint16_t kA = 1;
  static constexpr uint16_t kAaaa = 28;
  static constexpr uint16_t kSrv = 33;
  static constexpr size_t kHeaderBytes = 12;

  void receive() {
    socket_.async_receive_from(boost::asio::buffer(buffer_), peer_,
                               [this](boost::system::error_code error, size_t bytes) {
                                 if (!error) {
                                   answer({buffer_.data(), bytes});
                                   receive();
                                 }
                               });
  }

  void answer(const std::string& query) {
    ++queries_;
    std::string name;
    size_t at = kHeaderBytes;
    while (at < query.size() && query[at] != 0) {
      const auto label = static_cast<size_t>(query[at]);
      name += (name.empty() ? "" : ".") + query.substr(at + 1, label);
      at += label + 1;
    }
    const auto type = static_cast<uint16_t>(query[at + 2]);
    const auto zone = zones_.find(name);
    if (zone != zones_.end() && zone->second.silent) {
      return;
    }
    std::string records;
    uint8_t count = 0;
    if (zone != zones_.end() && type == kSrv) {
      for (const Srv& each : zone->second.srv) {
        records += record(kSrv, zone->second.ttl, srv_data(each));
        ++count;
      }
    } else if (zone != zones_.end()) {
      for (const std::string& each : type == kA ? zone->second.v4 : zone->second.v6) {
        records += record(each, type, zone->second.ttl);
        ++count;
      }
    }
    std::string reply = query.substr(0, at + 5);
    reply.replace(2, 2, zone == zones_.end() ? std::string("\x81\x83") : std::string("\x81\x80"));
    reply.replace(6, 6, std::string{0, static_cast<char>(count), 0, 0, 0, 0});
    reply += records;
    socket_.send_to(boost::asio::buffer(reply), peer_);
  }

  static std::string record(const std::string& address, uint16_t type, uint32_t ttl) {
    std::array<char, 16> bytes{};
    ::inet_pton(type == kA ? AF_INET : AF_INET6, address.c_str(), bytes.data());
    return record(type, ttl, std::string(bytes.data(), type == kA ? 4 : 16));
  }

  static std::string record(uint16_t type, uint32_t ttl, const std::string& data) {
    std::string out = {'\xc0', '\x0c', 0, static_cast<char>(type), 0, 1};
    for (int shift = 24; shift >= 0; shift -= 8) {
      out += static_cast<char>(ttl >> shift & 0xffU);
    }
    return out + std::string({0, static_cast<char>(data.size())}) + data;
  }

  static std::string srv_data(const Srv& record) {
    std::string out;
    for (const uint16_t number : {record.priority, record.weight, record.port}) {
      out += {static_cast<char>(number >> 8U), static_cast<char>(number & 0xffU)};
    }
    for (size_t begin = 0; begin < record.target.size();) {
      const size_t end = std::min(record.target.find('.', begin), record.target.size());
      out += static_cast<char>(end - begin);
      out += record.target.substr(begin, end - begin);
      begin = end + 1;
    }
    return out + '\0';
  }

  boost::asio::ip::udp::socket socket_;
  boost::asio::ip::udp::endpoint peer_;
  std::array<char, 1500> buffer_{};
  std::map<std::string, Zone> zones_;
  uint64_t queries_ = 0;
};

}  // namespace hangu::control
