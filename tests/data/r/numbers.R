# The numbers that R finds for plays.csv, as JSON on standard output; tests/test_r.py holds ours against them.
#
#     Rscript tests/data/r/numbers.R > tests/data/r/numbers.json
#
# Needs R with its recommended packages survival and MASS.
suppressPackageStartupMessages({library(survival); library(MASS)})

folder <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)))
plays <- read.csv(file.path(folder, "plays.csv"))
plays$won <- plays$outcome == "win"
plays$minutes <- plays$inputs / 30 / 60
limit <- 30 * 60 * 30 # inputs
others <- c("masked_semantics", "masked_objects", "gravity")
versions <- c("original", others)
never <- 1e9 # whoever has not won is slower than everybody who has, and as slow as all who have not
published <- c(original = 1.8, masked_semantics = 4.3, masked_objects = 7.7, gravity = 4.3)
of <- function(version) plays[plays$version == version, ]

wald <- function(value, error) list(
  effect = exp(value), low = exp(value - qnorm(.975) * error), high = exp(value + qnorm(.975) * error))

survival_of <- function(version) {
  curve <- survfit(Surv(inputs, won) ~ 1, data = of(version))
  found <- summary(curve, rmean = limit)$table
  list(times = curve$time, share = curve$surv, median = unname(found["median"]), mean = unname(found["rmean"]),
       quit = prop.test(sum(of(version)$outcome == "quit"), nrow(of(version)), correct = FALSE)$conf.int[1:2])
}

log_rank_of <- function(version) {
  both <- rbind(of("original"), of(version))
  both$is_version <- as.integer(both$version == version)
  test <- survdiff(Surv(inputs, won) ~ is_version, data = both)
  model <- coxph(Surv(inputs, won) ~ is_version, data = both, ties = "efron",
                 control = coxph.control(eps = 1e-14, toler.chol = 1e-15, iter.max = 100))
  c(list(statistic = test$chisq, p = pchisq(test$chisq, 1, lower.tail = FALSE)),
    wald(unname(coef(model)), sqrt(vcov(model)[1, 1])))
}

# cox.zph at the maximum that log_rank_of finds, time being 1 - the Kaplan-Meier estimate of all players just before.
zph_of <- function(version) {
  both <- rbind(of("original"), of(version))
  both$is_version <- as.integer(both$version == version)
  model <- coxph(Surv(inputs, won) ~ is_version, data = both, ties = "efron",
                 control = coxph.control(eps = 1e-14, toler.chol = 1e-15, iter.max = 100))
  found <- cox.zph(model, transform = "km")$table[1, ]
  list(statistic = unname(found["chisq"]), p = unname(found["p"]))
}

# Firth's correction, by coxph's likelihood and information without a step, where everybody of the version wins nothing
# ("never"), or wins after all of the original ("later").
firth_of <- function(name) {
  both <- rbind(of("original"), of("masked_semantics"))
  both$is_version <- as.integer(both$version != "original")
  if (name == "never") both$won <- both$won & both$is_version == 0
  else both$inputs <- both$inputs + both$is_version * limit
  penalised <- function(ratio) {
    model <- suppressWarnings(coxph(Surv(inputs, won) ~ is_version, data = both, ties = "efron", init = ratio,
                                    control = coxph.control(iter.max = 0)))
    model$loglik[1] - log(vcov(model)[1, 1]) / 2
  }
  best <- optimize(penalised, c(-10, 2), maximum = TRUE, tol = 1e-12)
  below <- function(ratio) penalised(ratio) - best$objective + qchisq(.95, 1) / 2
  list(effect = exp(best$maximum), low = exp(uniroot(below, c(-15, best$maximum), tol = 1e-13)$root),
       high = exp(uniroot(below, c(best$maximum, 5), tol = 1e-13)$root))
}

omnibus <- function() {
  test <- survdiff(Surv(inputs, won) ~ version, data = plays)
  list(statistic = test$chisq, p = pchisq(test$chisq, length(versions) - 1, lower.tail = FALSE))
}

# tau-b over the pairs of versions whose published means differ by a fifth of the smaller or more, and the share of all
# orders of the other means whose tau-b is as large.
agreement_of <- function(means) {
  theirs <- published[versions]
  pairs <- combn(length(versions), 2)
  apart <- apply(pairs, 2, function(ij) abs(diff(theirs[ij])) >= .2 * min(theirs[ij]) - 1e-9)
  pairs <- pairs[, apart, drop = FALSE]
  tau <- function(x) {
    a <- apply(pairs, 2, function(ij) sign(diff(x[ij]))); b <- apply(pairs, 2, function(ij) sign(diff(theirs[ij])))
    sum(a * b) / sqrt(sum(a != 0) * sum(b != 0))
  }
  orders <- as.matrix(expand.grid(rep(list(seq_along(versions)), length(versions))))
  orders <- orders[apply(orders, 1, function(order) !any(duplicated(order))), ]
  all <- apply(orders, 1, function(order) tau(means[order]))
  list(tau = tau(means), p = mean(all >= tau(means) - 1e-12), n_pairs = sum(apart))
}

mann_whitney_of <- function(version) {
  x <- ifelse(of(version)$won, of(version)$inputs, never)
  y <- ifelse(of("original")$won, of("original")$inputs, never)
  test <- wilcox.test(x, y, exact = FALSE, correct = TRUE)
  list(statistic = unname(test$statistic), p = test$p.value, effect = unname(test$statistic) / length(x) / length(y))
}

# By wilcox.test where nothing ties and nothing is zero. Else by hand, with Pratt's ranks, since wilcox.test drops zeros
# and has no exact test for ties: of up to 50 pairs by all choices of signs, of more by the normal approximation.
signed_rank_of <- function(version) {
  both <- merge(of(version), of("original"), by = "player_id")
  signed_rank(ifelse(both$won.x, log(both$inputs.x), Inf), ifelse(both$won.y, log(both$inputs.y), Inf))
}

signed_rank <- function(a, b) {
  change <- ifelse(a == b, 0, pmax(pmin(a - b, 1e6), -1e6))
  ranks <- rank(abs(change))
  sums <- c(sum(ranks[change > 0]), sum(ranks[change < 0]))
  kept <- ranks[change != 0]
  p <- if (length(kept) > 50) 2 * pnorm((min(sums) - sum(kept) / 2) / sqrt(sum(kept^2) / 4))
  else if (any(change == 0) || any(duplicated(abs(change)))) {
    signs <- as.matrix(expand.grid(rep(list(0:1), length(kept))))
    min(1, 2 * mean(signs %*% kept <= min(sums) + 1e-9))
  } else wilcox.test(a, b, paired = TRUE, exact = TRUE)$p.value
  list(n = length(a), statistic = min(sums), p = p, effect = mean((change > 0) + (change == 0) / 2))
}

# Every play beside those that are 5 and 11 rows further down: 98 pairs.
many_pairs <- function() {
  times <- ifelse(plays$won, log(plays$inputs), Inf)
  further <- function(rows) times[(seq_along(times) - 1 + rows) %% length(times) + 1]
  signed_rank(c(times, times), c(further(5), further(11)))
}

# MASS fixes the dispersion for its standard errors. Those by the joint observed information of the coefficients and
# theta, at the same maximum, are worked out from the second derivatives of the log-likelihood.
negative_binomial <- function() {
  plays$version <- factor(plays$version, versions)
  model <- glm.nb(deaths ~ version + offset(log(minutes)), data = plays,
                  control = glm.control(epsilon = 1e-14, maxit = 1000))
  x <- model.matrix(model); y <- plays$deaths; mu <- fitted(model); theta <- model$theta
  bb <- t(x) %*% (x * ((theta + y) * theta * mu / (theta + mu)^2))
  bt <- -t(x) %*% (mu * (y - mu) / (theta + mu)^2)
  tt <- -sum(trigamma(y + theta) - trigamma(theta) + 1 / theta - 2 / (theta + mu) + (theta + y) / (theta + mu)^2)
  joint <- sqrt(diag(solve(rbind(cbind(bb, bt), c(bt, tt)))))[seq_along(versions)]
  fixed <- sqrt(diag(vcov(model)))
  value <- coef(model)
  p <- 2 * pnorm(-abs(value / joint))[-1]
  tests <- lapply(seq_along(others), function(i)
    c(list(statistic = unname((value / joint)[i + 1]), p = unname(p[i]), error = unname(joint[i + 1]),
           error_fixed = unname(fixed[i + 1])), wald(unname(value[i + 1]), unname(joint[i + 1]))))
  list(theta = theta, tests = setNames(tests, others), holm = unname(p.adjust(p, "holm")))
}

# Poisson regression of falls, whose spread is less than chance, with White's HC0 errors.
poisson_robust <- function() {
  plays$version <- factor(plays$version, versions)
  model <- glm(falls ~ version + offset(log(minutes)), family = poisson, data = plays,
               control = glm.control(epsilon = 1e-14, maxit = 1000))
  x <- model.matrix(model); mu <- fitted(model)
  bread <- solve(t(x) %*% (x * mu))
  robust <- sqrt(diag(bread %*% (t(x) %*% (x * (plays$falls - mu)^2)) %*% bread))
  lapply(setNames(seq_along(others), others), function(i) wald(unname(coef(model)[i + 1]), unname(robust[i + 1])))
}

each <- function(names, make) lapply(setNames(names, names), make)
holm <- function(tests) p.adjust(sapply(tests, function(test) test$p), "holm")

json <- function(x) {
  if (is.list(x)) paste0("{", paste0('"', names(x), '": ', sapply(x, json), collapse = ",\n"), "}")
  else if (is.character(x)) paste0('"', x, '"')
  else if (length(x) > 1) paste0("[", paste(sapply(unname(x), json), collapse = ", "), "]")
  else if (is.na(x)) "null"
  else sprintf("%.17g", x)
}

survival <- each(versions, survival_of)
log_rank <- each(others, log_rank_of)
mann_whitney <- each(others, mann_whitney_of)
signed_ranks <- each(others, signed_rank_of)
means <- sapply(survival, function(found) found$mean)
finishers <- sapply(versions, function(version) mean(of(version)$inputs[of(version)$won]))
cat(json(list(
  made_by = paste0(R.version.string, ", survival ", packageVersion("survival"), ", MASS ", packageVersion("MASS")),
  published = as.list(published), survival = survival, log_rank = log_rank, log_rank_holm = unname(holm(log_rank)),
  mann_whitney = mann_whitney, mann_whitney_holm = unname(holm(mann_whitney)), signed_rank = signed_ranks,
  signed_rank_holm = unname(holm(signed_ranks)), many_pairs = many_pairs(), negative_binomial = negative_binomial(), poisson = poisson_robust(),
  zph = each(others, zph_of), firth = each(c("never", "later"), firth_of), omnibus = omnibus(),
  finishers = as.list(finishers), agreement = list(restricted = agreement_of(means), finishers = agreement_of(finishers))
)), "\n")
