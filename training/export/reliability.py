"""Stated probabilities against what came true."""

import numpy


def bin_places(probabilities, bins):
    return numpy.minimum((probabilities * bins).astype(int), bins - 1)


def calibration_error(probabilities, outcomes, bins=10):
    """Expected calibration error over bins of equal width: the mean gap of stated and realised, weighted by rows."""
    place = bin_places(probabilities, bins)
    return float(sum(abs(probabilities[place == each].mean() - outcomes[place == each].mean()) * (place == each).mean()
                     for each in range(bins) if (place == each).any()))


def reliability(probabilities, outcomes, bins=10):
    place = bin_places(probabilities, bins)
    return [{"lower": each / bins, "upper": (each + 1) / bins, "count": int((place == each).sum()),
             "mean_stated": round(float(probabilities[place == each].mean()), 4),
             "realised": round(float(outcomes[place == each].mean()), 4)}
            for each in range(bins) if (place == each).any()]


def draw_reliability(bins, caption):
    """Stated against realised as a small picture (SVG); the area of a dot grows with its rows."""
    most = max(each["count"] for each in bins)
    dots = "".join(
        f'<circle cx="{40 + 300 * each["mean_stated"]:.1f}" cy="{340 - 300 * each["realised"]:.1f}" '
        f'r="{3 + 9 * (each["count"] / most) ** 0.5:.1f}" fill="#2563eb" fill-opacity="0.75"/>' for each in bins)
    ticks = "".join(
        f'<text x="{40 + 60 * tick}" y="358" text-anchor="middle">{tick / 5:.1f}</text>'
        f'<text x="34" y="{344 - 60 * tick}" text-anchor="end">{tick / 5:.1f}</text>' for tick in range(6))
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 360 390" font-family="sans-serif" font-size="11">'
        '<rect width="360" height="390" fill="white"/><rect x="40" y="40" width="300" height="300" fill="none" '
        'stroke="#9ca3af"/><path d="M40 340L340 40" stroke="#9ca3af" stroke-dasharray="4 4"/>'
        f'{ticks}{dots}<text x="190" y="380" text-anchor="middle">stated probability</text>'
        f'<text x="40" y="28">{caption}</text></svg>\n')
