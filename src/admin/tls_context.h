// TlsContext: what the admin endpoint speaks TLS with: made of files, and made anew when they have
// changed, as whoever renews certificates does. Control thread.
#pragma once

#include <ctime>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/ssl/context.hpp>

#include "hangu/base/result.h"
#include "hangu/config/admin.h"

namespace hangu::admin {

class TlsContext {
 public:
  using Ptr = std::shared_ptr<boost::asio::ssl::context>;

  /// The error names the file.
  static Result<std::unique_ptr<TlsContext>, std::string> load(const config::AdminTls& files);

  /// For a connection that begins now, which keeps it. New files that are no good are reported and
  /// leave what there is.
  Ptr current();

  const config::AdminTls& files() const { return files_; }

 private:
  explicit TlsContext(config::AdminTls files);

  Result<Ptr, std::string> make() const;
  std::string state_of_files() const;

  config::AdminTls files_;
  std::string seen_;  // of the files, when they were read
  Ptr context_;
};

}  // namespace hangu::admin
