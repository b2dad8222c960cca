// DemoOrigin: a small HTTP/1.1 server to try a gateway against: `hangu demo` starts it, tests use
// it. Loopback only, on a thread and io_context of its own, which the destructor joins. Not fast,
// not for anybody's production. It never buffers a whole body, in either direction.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "hangu/base/result.h"

namespace hangu::control {

struct DemoPath {
  std::string path;
  std::string text;
};

class DemoOrigin {
 public:
  /// Listens on 127.0.0.1; port 0 lets the kernel choose.
  static Result<std::unique_ptr<DemoOrigin>, std::string> start(uint16_t port);
  ~DemoOrigin();

  uint16_t port() const;

  /// What there is to try, for the welcome text.
  static const std::vector<DemoPath>& paths();

 private:
  class Impl;
  explicit DemoOrigin(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace hangu::control
