//! Makes metrics, registers them, and keeps what was said of each, for docs/metrics.md.

use prometheus::core::{Collector, Desc};
use prometheus::{
    Counter, CounterVec, GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge,
    IntGaugeVec, Opts, Registry,
};

/// A metric as it is documented.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Family {
    pub name: String,
    pub kind: &'static str,
    pub labels: Vec<String>,
    pub help: String,
}

impl Family {
    fn new(of: &Desc, kind: &'static str) -> Self {
        Self {
            name: of.fq_name.clone(),
            kind,
            labels: of.variable_labels.clone(),
            help: of.help.trim_end_matches('.').to_owned(),
        }
    }
}

#[derive(Default)]
pub(super) struct Families {
    pub(super) registry: Registry,
    pub(super) made: Vec<Family>,
}

/// A metric whose label values are made as they come.
macro_rules! vectors {
    ($method:ident, $vector:ty, $kind:literal) => {
        pub(super) fn $method(&mut self, name: &str, help: &str, labels: &[&str]) -> $vector {
            self.add($kind, <$vector>::new(Opts::new(name, help), labels))
        }
    };
}

impl Families {
    vectors!(counters, IntCounterVec, "counter");
    vectors!(gauges, IntGaugeVec, "gauge");
    vectors!(measures, GaugeVec, "gauge");
    vectors!(seconds, CounterVec, "counter");

    pub(super) fn counter(&mut self, name: &str, help: &str) -> IntCounter {
        self.add("counter", IntCounter::new(name, help))
    }

    /// With the label's values that are known, so that the first event of each is seen as an increase.
    pub(super) fn counters_of(&mut self, name: &str, help: &str, label: &str, values: &[&str]) -> IntCounterVec {
        let counters = self.counters(name, help, &[label]);
        for value in values {
            counters.with_label_values(&[value]);
        }
        counters
    }

    /// Seconds of one thing.
    pub(super) fn time(&mut self, name: &str, help: &str) -> Counter {
        self.add("counter", Counter::new(name, help))
    }

    pub(super) fn gauge(&mut self, name: &str, help: &str) -> IntGauge {
        self.add("gauge", IntGauge::new(name, help))
    }

    pub(super) fn histogram(&mut self, name: &str, help: &str, buckets: &[f64]) -> Histogram {
        self.add("histogram", Histogram::with_opts(HistogramOpts::new(name, help).buckets(buckets.to_vec())))
    }

    pub(super) fn histograms(&mut self, name: &str, help: &str, labels: &[&str], buckets: &[f64]) -> HistogramVec {
        self.add("histogram", HistogramVec::new(HistogramOpts::new(name, help).buckets(buckets.to_vec()), labels))
    }

    pub(super) fn add<C: Collector + Clone + 'static>(
        &mut self,
        kind: &'static str,
        metric: prometheus::Result<C>,
    ) -> C {
        let metric = metric.expect("valid metric");
        self.made.extend(metric.desc().iter().map(|of| Family::new(of, kind)));
        self.registry.register(Box::new(metric.clone())).expect("unique metric");
        metric
    }
}
