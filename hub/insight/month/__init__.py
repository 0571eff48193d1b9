"""The month report (月汇报): what was planned and held, who took part, and how the figures are spread."""
