/** Document 003's own example: two of the columns of the model macro-effects, and two features that it has not. */
export const exampleFeatures = {
  fred_GDP_lag_30d: 100.5,
  fred_CPIAUCSL_lag_30d: 105.2,
  fred_FEDFUNDS_lag_30d: 2.5,
  'yahoo_^GSPC_Close': 4500,
};
