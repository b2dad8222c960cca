#include "hangu/control/config_editor.h"

#include <algorithm>
#include <deque>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>

#include "hangu/base/log.h"
#include "hangu/control/daemon.h"
#include "hangu/control/loader.h"
#include "hangu/control/process.h"
#include "hangu/fleet/publisher.h"

#include "control/center_writer.h"
#include "control/document_log.h"
#include "control/edit_check.h"

namespace hangu::control {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using Kind = EditOutcome::Kind;

constexpr Duration kApplyAgain = std::chrono::milliseconds(5);  // a reload is under way
constexpr Duration kPatience = std::chrono::seconds(20);        // with those
constexpr const char* kTakenOver = "another process is about to take over, or has";

/// An edit on its way.
struct Job {
  ConfigEdit edit;
  std::function<void(EditOutcome)> done;
  EditOutcome outcome;
  std::vector<config::Document> changes;
  LoggedChange logged;
  TimePoint begun;
};

using JobPtr = std::shared_ptr<Job>;

}  // namespace

class ConfigEditor::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(asio::io_context& context, const config::Config& config,
       std::shared_ptr<ConfigSource> source, Hooks hooks)
      : source_(std::move(source)),
        hooks_(std::move(hooks)),
        timer_(context) {
    if (config.admin.writable) {
      status_.store =
          config.config_center.enabled ? DocumentStoreKind::kCenter : DocumentStoreKind::kLocal;
    }
    status_ = look(*source_, status_.store);
    if (status_.store == DocumentStoreKind::kCenter) {
      center_ = std::make_shared<CenterWriter>(context, config.config_center, source_, hooks_);
    }
  }

  void stop() {
    stopped_ = true;
    if (center_ != nullptr) {
      center_->stop();
    }
    waiting_.clear();
    timer_.cancel();
  }

  void list(std::function<void(ElementList)> done) {
    apart(
        [source = source_] {
          std::vector<config::ElementSummary> found = source->assembly().elements();
          for (config::ElementSummary& each : found) {
            each.digest = tag_of(each.digest);
          }
          return found;
        },
        [this, done = std::move(done)](std::vector<config::ElementSummary> found) {
          done({std::move(found), tag_of(hooks_.in_force().digest)});
        });
  }

  void element(std::string key, std::function<void(std::optional<config::Element>)> done) {
    apart(
        [source = source_, key = std::move(key)] {
          std::optional<config::Element> found = source->assembly().element(key);
          if (found) {
            found->summary.digest =
                found->summary.in_file ? tag_of(key, found->yaml) : tag_of(found->summary.digest);
          }
          return found;
        },
        std::move(done));
  }

  void edit(ConfigEdit edit, std::function<void(EditOutcome)> done) {
    const Kind why_not = status_.store == DocumentStoreKind::kNone ? Kind::kReadOnly
                         : edit.documents.size() > kDocumentsMax   ? Kind::kTooMuch
                         : waiting_.size() >= kWaitingMax          ? Kind::kBusy
                         : !hooks_.serves()                        ? Kind::kBusy
                                                                   : Kind::kDone;
    if (why_not != Kind::kDone) {
      EditOutcome outcome;
      outcome.kind = why_not;
      outcome.error = why_not == Kind::kBusy && !hooks_.serves() ? kTakenOver : "";
      done(std::move(outcome));
      return;
    }
    auto job = std::make_shared<Job>();
    job->edit = std::move(edit);
    job->done = std::move(done);
    waiting_.push_back(std::move(job));
    begin_next();
  }

  /// What is written into a config centre is kept there, whatever becomes of this process.
  bool busy() const { return working_ && center_ == nullptr; }

  /// As of the last look; one is on its way when a reload may have changed it.
  DocumentsStatus status() {
    const std::string digest = hooks_.in_force().digest;
    if (digest != looked_at_ && status_.store == DocumentStoreKind::kLocal) {
      looked_at_ = digest;
      apart([source = source_] { return look(*source, DocumentStoreKind::kLocal); },
            [this](DocumentsStatus status) { status_ = std::move(status); });
    }
    return status_;
  }

 private:
  /// Does `work` on the loader's thread, and `then` here unless this object has stopped.
  template <class Work, class Then>
  void apart(Work work, Then then) {
    hooks_.loader->run(std::move(work),
                       [self = shared_from_this(), then = std::move(then)](auto&&... result) {
                         if (!self->stopped_) {
                           then(std::forward<decltype(result)>(result)...);
                         }
                       });
  }

  void begin_next() {
    if (working_ || waiting_.empty()) {
      return;
    }
    working_ = true;
    const JobPtr job = waiting_.front();
    waiting_.pop_front();
    job->begun = monotonic_now();
    if (!hooks_.serves()) {
      finish(job, Kind::kBusy, kTakenOver);
      return;
    }
    if (center_ == nullptr) {  // as long as it takes, there is no upgrade: busy()
      prepare(job);
      return;
    }
    center_->write(std::move(job->edit), [self = shared_from_this(), job](EditOutcome outcome) {
      job->outcome = std::move(outcome);
      self->finish(job);
    });
  }

  void finish(const JobPtr& job, Kind kind, std::string error = {}) {
    job->outcome.kind = kind;
    job->outcome.error = error.empty() ? std::move(job->outcome.error) : std::move(error);
    finish(job);
  }

  void finish(const JobPtr& job) {
    job->outcome.digest = tag_of(hooks_.in_force().digest);
    working_ = false;
    job->done(std::move(job->outcome));
    begin_next();
  }

  /// Whether it is still the config that the writer has looked at.
  bool matches(const Job& job) const {
    const std::string now = tag_of(hooks_.in_force().digest);
    return job.edit.digests.empty() || std::find(job.edit.digests.begin(), job.edit.digests.end(),
                                                 now) != job.edit.digests.end();
  }

  /// Everything that can go wrong without anything in force.
  void prepare(const JobPtr& job) {
    apart([source = source_, job] { prepare(*job, *source); },
          [this, job] {
            if (job->outcome.kind != Kind::kDone || job->edit.dry_run || job->changes.empty()) {
              const bool stale = job->outcome.kind == Kind::kDone && !matches(*job);
              stale ? finish(job, Kind::kMismatch, "the config is another one by now")
                    : finish(job);
            } else {
              apply(job);
            }
          });
  }

  static void prepare(Job& job, ConfigSource& source) {
    auto changes = changes_of(
        job.edit, source,
        [&source](const std::string& key) { return source.assembly().wanted(key); }, job.outcome);
    if (changes && job.edit.dry_run) {
      static_cast<void>(can_be(job.edit, source, *changes, job.outcome));
    } else if (changes && !changes->empty()) {
      job.changes = std::move(*changes);
      job.logged = {.documents = job.changes,
                    .time = fleet::time_text(wall_now()),
                    .author = job.edit.author,
                    .message = job.edit.message};
      if (auto room = source.document_log()->reserve(job.logged); !room) {
        job.outcome.kind = Kind::kNotStored;
        job.outcome.error = room.error();
      }
    }
    job.outcome.generation = source.document_log()->generation();
  }

  void apply(const JobPtr& job) {
    if (!matches(*job)) {
      finish(job, Kind::kMismatch, "the config is another one by now");
      return;
    }
    auto load = [source = source_, job] {
      config::LoadResult loaded = source->change_all(job->changes);
      job->outcome.diagnostics = diagnostics_of(job->edit, loaded.diagnostics);
      return loaded;
    };
    hooks_.apply(std::move(load), job->edit.actor, object_of(job->changes),
                 [self = shared_from_this(), job](const ReloadOutcome& outcome) {
                   if (!self->stopped_) {
                     self->applied(job, outcome);
                   }
                 });
  }

  void applied(const JobPtr& job, const ReloadOutcome& outcome) {
    using Reload = ReloadOutcome::Kind;
    if (outcome.kind == Reload::kApplied) {
      keep(job);
    } else if (outcome.kind == Reload::kInvalidConfig) {
      finish(job, Kind::kInvalid, "the config cannot be with this");
    } else if (outcome.tried) {
      apart([source = source_] { static_cast<void>(source->revert_all().config.has_value()); },
            [this, job, error = outcome.error] { finish(job, Kind::kRefused, error); });
    } else if (monotonic_now() - job->begun > kPatience) {
      finish(job, Kind::kBusy, outcome.error);
    } else {
      later([this, job] { apply(job); });
    }
  }

  /// It is in force, and its room on the disk is there.
  void keep(const JobPtr& job) {
    apart(
        [source = source_, job]() -> Result<DocumentsStatus, std::string> {
          DocumentLog& log = *source->document_log();
          const Result<void, std::string> kept = log.append(job->logged);
          job->outcome.generation = log.generation();
          if (!kept) {
            return Failure<std::string>{kept.error()};
          }
          return look(*source, DocumentStoreKind::kLocal);
        },
        [this, job](Result<DocumentsStatus, std::string> kept) {
          if (kept) {
            status_ = std::move(*kept);
            finish(job);
          } else {
            job->outcome.error = kept.error();
            take_back(job);
          }
        });
  }

  /// What cannot be kept is not to be in force until the next restart and then no more.
  void take_back(const JobPtr& job) {
    hooks_.apply([source = source_] { return source->revert_all(); }, job->edit.actor,
                 object_of(job->changes),
                 [self = shared_from_this(), job](const ReloadOutcome& outcome) {
                   if (self->stopped_) {
                     return;
                   }
                   if (outcome.kind == ReloadOutcome::Kind::kRefused && !outcome.tried) {
                     self->later([self, job] { self->take_back(job); });
                     return;
                   }
                   if (outcome.kind != ReloadOutcome::Kind::kApplied) {
                     log::error("documents_not_taken_back error=\"{}\"", outcome.error);
                   }
                   self->finish(job, Kind::kNotStored);
                 });
  }

  void later(std::function<void()> again) {
    timer_.expires_after(kApplyAgain);
    timer_.async_wait([self = shared_from_this(), again = std::move(again)](error_code error) {
      if (!error && !self->stopped_) {
        again();
      }
    });
  }

  static DocumentsStatus look(ConfigSource& source, DocumentStoreKind store) {
    DocumentsStatus status;
    status.store = store;
    if (const DocumentLog* log = source.document_log()) {
      status.documents = source.assembly().size();
      status.refused = source.assembly().refused();
      status.generation = log->generation();
      status.time = log->time();
      status.author = log->author();
    }
    return status;
  }

  std::shared_ptr<ConfigSource> source_;  // the loader's
  Hooks hooks_;
  asio::steady_timer timer_;
  DocumentsStatus status_;
  std::shared_ptr<CenterWriter> center_;  // nullptr: documents are kept here
  std::string looked_at_;                 // the digest of the config then
  std::deque<JobPtr> waiting_;
  bool working_ = false;
  bool stopped_ = false;
};

ConfigEditor::ConfigEditor(asio::io_context& context, const config::Config& config,
                           std::shared_ptr<ConfigSource> source, Hooks hooks)
    : impl_(std::make_shared<Impl>(context, config, std::move(source), std::move(hooks))) {}

ConfigEditor::~ConfigEditor() {
  impl_->stop();
}

void ConfigEditor::list(std::function<void(ElementList)> done) {
  impl_->list(std::move(done));
}

void ConfigEditor::element(std::string key,
                           std::function<void(std::optional<config::Element>)> done) {
  impl_->element(std::move(key), std::move(done));
}

void ConfigEditor::edit(ConfigEdit edit, std::function<void(EditOutcome)> done) {
  impl_->edit(std::move(edit), std::move(done));
}

bool ConfigEditor::busy() const {
  return impl_->busy();
}

DocumentsStatus ConfigEditor::status() const {
  return impl_->status();
}

}  // namespace hangu::control
