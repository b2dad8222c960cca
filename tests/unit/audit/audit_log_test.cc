#include "hangu/audit/audit_log.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <array>
#include <csignal>

#include "tests/unit/audit/audit_folder.h"

namespace hangu::audit {
namespace {

class AuditLogTest : public AuditFolder {};

TEST_F(AuditLogTest, WritesWhatAllShardsAppend) {
  constexpr int kRecords = 5000;
  options_.shards = 3;
  options_.ring_bytes = 16 * 1024 * 1024;
  auto log = open();
  std::vector<std::thread> shards;
  for (uint32_t shard = 0; shard < 3; ++shard) {
    shards.emplace_back([&log, shard] {
      for (int i = 0; i < kRecords; ++i) {
        EXPECT_TRUE(put(*log, "/s" + std::to_string(shard) + "/" + std::to_string(i), shard));
      }
    });
  }
  for (std::thread& shard : shards) {
    shard.join();
  }
  log.reset();
  const std::string text = content(path());
  EXPECT_EQ(count(text, "\"event\":\"request\""), size_t{3} * kRecords);
  size_t at = 0;
  for (int i = 0; i < kRecords; ++i) {  // each shard's in its order
    at = text.find("\"/s1/" + std::to_string(i) + "\"", at);
    ASSERT_NE(at, std::string::npos) << i;
  }
  const Verification done = verified();
  EXPECT_TRUE(done.good()) << last_text_;
  EXPECT_EQ(done.records, size_t{3} * kRecords + 3);  // log.open, process.start, process.stop
}

TEST_F(AuditLogTest, GoesOnWhereTheLastRunEnded) {
  for (int run = 0; run < 3; ++run) {
    auto log = open();
    EXPECT_TRUE(put(*log, "/x"));
  }
  const Verification done = verified();
  EXPECT_TRUE(done.good()) << last_text_;
  EXPECT_EQ(done.files, 1U);
  EXPECT_EQ(done.runs, 3U);
  EXPECT_EQ(done.unclean_ends, 0U);
}

TEST_F(AuditLogTest, ChecksAfterEveryFewRecords) {
  options_.signing_key = make_key();
  options_.checkpoint_records = 10;
  auto log = open();
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(put(*log, "/x"));
  }
  log.reset();
  const Verification done = verified(options_.signing_key);
  EXPECT_TRUE(done.good()) << last_text_;
  EXPECT_GE(done.checkpoints, 10U);
  EXPECT_EQ(done.last_signed_seq, done.last_seq);
  EXPECT_EQ(count(content(options_.file.checkpoint_path), "\n"), done.checkpoints);
}

TEST_F(AuditLogTest, SaysHowManyRecordsFoundNoRoom) {
  options_.ring_bytes = 64 * 1024;
  options_.on_backpressure = Backpressure::kDropWithMarker;
  auto log = open();
  uint64_t lost = 0;
  for (int i = 0; i < 5000; ++i) {
    lost += put(*log, "/x") ? 0 : 1;
  }
  log.reset();
  const Verification done = verified();
  EXPECT_TRUE(done.good()) << last_text_;
  EXPECT_EQ(done.lost, lost);
  EXPECT_EQ(done.records, 5000 - lost + 3 + count(content(path()), "log.lost"));
}

TEST_F(AuditLogTest, RotatesBySizeAndPacks) {
  options_.rotate_bytes = 64 * 1024;
  options_.compress = true;
  options_.signing_key = make_key();
  auto log = open();
  for (int i = 0; i < 30; ++i) {
    const uint64_t before = log->written();
    for (int k = 0; k < 100; ++k) {
      EXPECT_TRUE(put(*log, "/x"));
    }
    ASSERT_TRUE(eventually([&] { return log->written() >= before + 100; }));
  }
  ASSERT_TRUE(eventually([&] {
    const auto files = archived_files(path());
    return files.size() >= 10 && files.front().packed && files.back().packed;
  }));
  log.reset();
  const Verification done = verified(options_.signing_key);
  EXPECT_TRUE(done.good()) << last_text_;
  EXPECT_GE(done.files, 11U);
  // A file that is gone is missed, and named by its first record.
  const auto files = archived_files(path());
  std::filesystem::remove(files[3].path);
  const Verification less = verified(options_.signing_key);
  ASSERT_FALSE(less.good());
  EXPECT_EQ(less.findings[0].kind, "missing");
  EXPECT_EQ(less.findings[0].seq, files[3].first_seq);
}

TEST_F(AuditLogTest, RemovesWhatExpiredAndSaysSo) {
  options_.rotate_bytes = 64 * 1024;
  options_.retention = std::chrono::milliseconds(500);
  auto log = open();
  ASSERT_TRUE(eventually([&] {
    put(*log, "/x");
    return content(path()).find("log.delete") != std::string::npos;
  }));
  log.reset();
  const Verification done = verified();
  EXPECT_GT(done.first_seq, 1U);
  EXPECT_TRUE(done.good()) << last_text_;
}

/// No file of this process grows beyond this; the signal that tells so is ignored.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    std::signal(SIGXFSZ, SIG_IGN);
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }

  ~FileSizeLimit() { lift(); }

  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

  void lift() const { ::setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_{};
};

TEST_F(AuditLogTest, AFullDiskLosesNothingWhenThereIsRoomAgain) {
  options_.file.queue_bytes_max = 64 * 1024;
  options_.on_backpressure = Backpressure::kDropWithMarker;
  const FileSizeLimit limit(256 * 1024);
  auto log = open();
  uint64_t put_in = 0;
  ASSERT_TRUE(eventually([&] {
    put_in += put(*log, "/x") ? 1 : 0;
    return log->failing();
  }));
  limit.lift();
  ASSERT_TRUE(eventually([&] { return !log->failing(); }));
  log.reset();
  const Verification done = verified();
  EXPECT_TRUE(done.good()) << last_text_;
  EXPECT_EQ(count(content(path()), "\"event\":\"request\""), put_in);
}

TEST_F(AuditLogTest, SpillsWhileTheFileTakesNothingAndBringsItBackInOrder) {
  options_.file.queue_bytes_max = 64 * 1024;
  options_.file.spill_bytes_max = 64 * 1024 * 1024;
  options_.ring_bytes = 256 * 1024;
  auto log = open();
  const FileSizeLimit limit(300 * 1024);  // of the spill file, too: that fails a little later
  uint64_t put_in = 0;
  ASSERT_TRUE(eventually([&] {
    put_in += put(*log, "/x") ? 1 : 0;
    return log->spilled_bytes() != 0 || log->dropped() > 1000;
  }));
  const bool spilled = log->spilled_bytes() != 0;
  limit.lift();
  log.reset();
  EXPECT_TRUE(spilled);
  const Verification done = verified();
  EXPECT_TRUE(done.good()) << last_text_;
  EXPECT_EQ(count(content(path()), "\"event\":\"request\""), put_in);
}

TEST_F(AuditLogTest, FailsClosedBeforeThereIsNoRoom) {
  options_.ring_bytes = 64 * 1024;
  options_.on_backpressure = Backpressure::kFailClosed;
  auto log = open();
  uint32_t reserved = 0;
  while (log->reserve(0, 1000)) {
    ++reserved;
  }
  EXPECT_GE(reserved, 60U);
  log->release(0, 1000);
  EXPECT_TRUE(log->reserve(0, 1000));
  for (uint32_t i = 0; i < reserved; ++i) {  // what was reserved has its room
    EXPECT_TRUE(put(*log, "/x"));
    log->release(0, 1000);
  }
  log.reset();
  EXPECT_TRUE(verified().good());
}

TEST_F(AuditLogTest, RefusesWhatIsNoLog) {
  std::ofstream(path()) << "hello\n";
  const auto opened = AuditLog::open(options_);
  ASSERT_FALSE(opened.has_value());
  EXPECT_NE(opened.error().find("does not begin as an audit log"), std::string::npos);
  EXPECT_EQ(content(path()), "hello\n");
}

/// What a process that has the log for a moment leaves, for the first to go on with.
class AuditLogTakenBack : public AuditLogTest {
 protected:
  void SetUp() override {
    log_ = open();
    EXPECT_TRUE(put(*log_, "/before"));
    ASSERT_TRUE(log_->hand_over("pid=1 successor=2").has_value());
  }

  Verification taken_back() {
    log_->take_back();
    EXPECT_TRUE(put(*log_, "/after"));
    log_.reset();
    const std::string text = content(path());
    EXPECT_EQ(count(text, "\"/after\""), 1U) << text;
    const Verification done = verified();
    EXPECT_TRUE(done.good()) << last_text_;
    return done;
  }

  /// The log as another process has it for `work`.
  void as_another(AuditLogOptions options, const std::function<void(AuditLog&)>& work) {
    auto other = AuditLog::open(std::move(options));
    ASSERT_TRUE(other.has_value()) << other.error();
    work(**other);
  }

  /// Crashed: what it wrote is there, its last words are not.
  void cut_last_lines(size_t lines, std::string_view torn) {
    std::string text = content(path());
    for (size_t i = 0; i < lines; ++i) {
      text.resize(text.rfind('\n', text.size() - 2) + 1);
    }
    std::ofstream(path(), std::ios::trunc) << text << torn;
  }

  std::unique_ptr<AuditLog> log_;
};

TEST_F(AuditLogTakenBack, WhereNothingWasWrittenItGoesOn) {
  const Verification done = taken_back();
  EXPECT_EQ(done.files, 1U);
  EXPECT_EQ(done.runs, 1U);
  EXPECT_EQ(done.unclean_ends, 0U);
}

TEST_F(AuditLogTakenBack, SaysThatTheOtherCrashed) {
  as_another(options_, [](AuditLog& other) { EXPECT_TRUE(put(other, "/other")); });
  cut_last_lines(1, "");
  const Verification done = taken_back();
  EXPECT_EQ(done.files, 1U);
  EXPECT_EQ(done.unclean_ends, 1U);
}

TEST_F(AuditLogTakenBack, ATornLineIsLeftInAFileOfItsOwn) {
  as_another(options_, [](AuditLog& other) { EXPECT_TRUE(put(other, "/other")); });
  cut_last_lines(1, "{\"seq\":7,\"ts\":\"20");
  const Verification done = taken_back();
  EXPECT_EQ(done.files, 2U);
  EXPECT_EQ(done.unclean_ends, 1U);
}

TEST_F(AuditLogTakenBack, AFileOfAnotherDigestIsNotContinued) {
  AuditLogOptions other = options_;
  other.chain = DigestKind::kSm3;
  as_another(other, [](AuditLog& log) { EXPECT_TRUE(put(log, "/other")); });
  const Verification done = taken_back();
  EXPECT_EQ(done.files, 3U);
}

TEST_F(AuditLogTakenBack, TakesInWhatTheOtherHasSpilled) {
  as_another(options_, [](AuditLog& other) { EXPECT_TRUE(put(other, "/other")); });
  const std::string text = content(path());
  const size_t last = text.rfind('\n', text.size() - 2) + 1;
  std::ofstream(options_.file.spill_path) << text.substr(last);
  std::ofstream(path(), std::ios::trunc) << text.substr(0, last);
  const Verification done = taken_back();
  EXPECT_EQ(done.unclean_ends, 0U);
  EXPECT_FALSE(std::filesystem::exists(options_.file.spill_path));
}

/// The other process reads nothing of it.
TEST_F(AuditLogTakenBack, KeepsWhatCouldNotBeRelayed) {
  constexpr int kRecords = 3000;
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  const int small = 4096;
  ASSERT_EQ(::setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof small), 0);
  log_->relay_to(ends[0]);
  for (int i = 0; i < kRecords; ++i) {
    EXPECT_TRUE(put(*log_, "/relayed/" + std::to_string(i)));
  }
  ASSERT_TRUE(eventually([&] {
    std::array<char, 1> byte;
    return ::recv(ends[1], byte.data(), 1, MSG_PEEK | MSG_DONTWAIT) == 1;
  }));
  std::string got(1024, '\0');
  got.resize(static_cast<size_t>(::recv(ends[1], got.data(), got.size(), 0)));
  ::close(ends[1]);
  log_.reset();
  const std::string text = content(path());
  EXPECT_EQ(count(text, "\"/relayed/" + std::to_string(kRecords - 1) + "\""), 1U);
  // Those that the socket had taken are the other process's.
  EXPECT_GE(count(text, "\"/relayed/"), static_cast<size_t>(kRecords) - 300);
  EXPECT_TRUE(verified().good()) << last_text_;
}

/// It crashed, or was killed: what it had still to send is lost.
TEST_F(AuditLogTest, ARelayThatEndsWithoutAWordIsRecorded) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  auto log = open();
  log->take_relayed(ends[0]);
  Record record;
  record.set(Text::kPath, "/relayed");
  std::string bytes;
  append_relayed(record, bytes);
  ASSERT_EQ(::write(ends[1], bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  ::close(ends[1]);
  ASSERT_TRUE(eventually([&] { return log->relaying() == 0; }));
  log.reset();
  const std::string text = content(path());
  EXPECT_EQ(count(text, "\"/relayed\""), 1U);
  EXPECT_EQ(count(text, "a process that relayed has ended without saying so"), 1U);
  EXPECT_TRUE(verified().good()) << last_text_;
}

TEST_F(AuditLogTest, FilesAreNotForEverybody) {
  options_.signing_key = make_key();
  open().reset();
  for (const std::string& file : {path(), options_.file.checkpoint_path}) {
    struct stat status {};

    ASSERT_EQ(::stat(file.c_str(), &status), 0) << file;
    EXPECT_EQ(status.st_mode & 0777, 0640U) << file;
  }
}

}  // namespace
}  // namespace hangu::audit
