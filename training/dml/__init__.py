"""Double machine learning with scikit-learn: estimators of the shape of econml's, so that either can be exported."""
